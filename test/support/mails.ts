import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { registeredAddresses } from './actors.ts'
import { until } from './until.ts'

type Mail = { from: { email: string; name: string }; to: string; subject: string; html: string; text: string }

/** Records every email instead of sending it. */
export function interceptMails() {
  const send = vi.spyOn(env.MAIL, 'send').mockResolvedValue({ messageId: 'sent' })
  const allTo = (address: string): Mail[] =>
    send.mock.calls.map(([mail]) => mail as unknown as Mail).filter(({ to }) => to === address)
  const isWarning = ({ subject }: Mail) => subject === 'A new device logged in'
  const isRegistration = ({ subject, to }: Mail) => subject === 'Verify your address' && registeredAddresses.has(to)
  /** Without warnings about new devices, which most tests cause, because they log in without a device token. */
  const mailsTo = (address: string) => allTo(address).filter((mail) => !isWarning(mail) && !isRegistration(mail))
  const warningsTo = (address: string) => allTo(address).filter(isWarning)

  /** Waits until `count` emails have been sent to the address, and returns the last one. */
  async function nthMailTo(address: string, count: number): Promise<Mail> {
    await until(() => mailsTo(address).length === count)
    return mailsTo(address).at(-1)!
  }
  /** The emails of all registrations with the address, also those that `mailsTo` leaves out. */
  const registrationsTo = (address: string) => allTo(address).filter(({ subject }) => subject === 'Verify your address')
  return { send, mailsTo, warningsTo, nthMailTo, registrationsTo }
}

/** The verification token in the text of an email. */
export const tokenIn = ({ text }: Mail): string => /token: (\S+)/.exec(text)![1]!

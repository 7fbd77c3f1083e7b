import type { SystemCtx } from './context.ts'

/** What a retry would not change: the service delivers nothing to the address, or refuses this mail. */
const final = new Map<unknown, 'suppressed' | 'refused'>([
  ['E_RECIPIENT_SUPPRESSED', 'suppressed'],
  ['E_VALIDATION_ERROR', 'refused'],
])

type Mail = { to: string; subject: string; html: string; text: string; headers?: Record<string, string> }

export const senderOf = ({ config }: SystemCtx) => ({
  email: `no-reply@${new URL(config.BASE_URL).hostname}`,
  name: 'SocialConnect',
})

/** Throws if the email service fails, to be retried. */
export async function sendEmail(ctx: SystemCtx, mail: Mail): Promise<'accepted' | 'suppressed' | 'refused'> {
  try {
    await ctx.env.MAIL.send({ from: senderOf(ctx), ...mail })
    return 'accepted'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    // The error is not attached as a cause: causes are logged, and its message may contain `to`.
    const outcome = final.get(code)
    if (!outcome) throw new Error(`the email service failed with ${code}`)
    ctx.log.warn('an address does not accept email', { code })
    return outcome
  }
}

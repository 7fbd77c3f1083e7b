import { RESET_MINUTES, UNDO_FACTOR_HOURS } from '../lifetimes.ts'
import type { Template } from '../mail-text.ts'
import { resetToken } from '../password-reset-tokens.ts'
import { undoFactorToken } from './factor-undo-tokens.ts'

const HINT =
  'If it was not you, somebody else is logged in to your account. Change your password, log out everywhere else, and check your second factors under “Security”:'

/** The same text but for what happened, and what follows from it. */
const mailOf =
  (subject: string, happened: (name: string) => string, ...more: string[]): Template =>
  ({ config }, { handle }) => ({ subject, paragraphs: [happened(`@${handle}`), ...more, HINT, config.BASE_URL] })

/** A thief who adds a factor locks the owner out, whose mails the thief does not read. */
const additionOf =
  (subject: string, happened: (name: string) => string, more: string): Template =>
  async (ctx, { accountId, handle, detail }) => {
    const token = await undoFactorToken(ctx, accountId, detail)
    const undoing = [
      `If it was not you, open this link within ${UNDO_FACTOR_HOURS} hours. It removes what was added, ends every login and voids the password:`,
      `${ctx.config.BASE_URL}/?factor=${token}`,
      `Or paste this token: ${token}`,
    ]
    const gone = ['It has been removed since.', HINT, ctx.config.BASE_URL]
    return { subject, paragraphs: [happened(`@${handle}`), more, ...(token ? undoing : gone)] }
  }

export const factorTemplates = {
  'totp-added': additionOf(
    'An authenticator app was added',
    (name) => `An authenticator app was added to ${name}. From now on, a login needs one of its codes too.`,
    'Keep the recovery codes: without them and the app, nobody can log in to the account, and nobody can restore it.',
  ),
  'factor-undone': async (ctx, { accountId, handle }) => {
    const token = await resetToken(ctx, accountId)
    if (!token) return null
    return {
      subject: 'A second factor was removed again',
      paragraphs: [
        `What was added to @${handle} was removed with a link from an email to this address. Every login was ended, and the password no longer works.`,
        `The person who added it may know the password. Open this link within ${RESET_MINUTES} minutes and choose a new one:`,
        `${ctx.config.BASE_URL}/?reset=${token}`,
        `Or paste this token: ${token}`,
        'If the link has expired, choose “Forgot password” on the page where you log in.',
      ],
    }
  },
  'totp-removed': mailOf(
    'The authenticator app was removed',
    (name) => `The authenticator app was removed from ${name}.`,
  ),
  'passkey-added': additionOf(
    'A passkey was added',
    (name) =>
      `A passkey was added to ${name}. It logs in without the password; with the password, a login needs a second factor.`,
    'Keep the recovery codes: without them and your second factors, nobody can log in with the password.',
  ),
  'passkey-removed': mailOf('A passkey was removed', (name) => `A passkey was removed from ${name}.`),
  'recovery-codes-replaced': mailOf(
    'You have new recovery codes',
    (name) => `New recovery codes were made for ${name}. The former ones no longer work.`,
  ),
  'recovery-code-used': mailOf(
    'A recovery code was used',
    (name) => `A recovery code of ${name} was used in place of a second factor. It does not work again.`,
  ),
  'second-factor-guessed': ({ config }, { handle }) => ({
    subject: 'Somebody fails at your second factor',
    paragraphs: [
      `Somebody passed the first step of a login to @${handle}, such as the password, and then entered several wrong codes. Nobody was logged in by them.`,
      'If it was you, you can ignore this email. If it was not you, somebody knows your password: log in and choose another one, which you use nowhere else.',
      config.BASE_URL,
    ],
  }),
} satisfies Record<string, Template>

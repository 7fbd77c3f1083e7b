import { RESET_MINUTES } from './lifetimes.ts'
import type { Template } from './mail-text.ts'
import { resetToken } from './password-reset-tokens.ts'

export const recoveryTemplates = {
  'password-reset': async (ctx, { accountId, handle }) => {
    const token = await resetToken(ctx, accountId)
    if (!token) return null
    return {
      subject: 'Reset your password',
      paragraphs: [
        `Someone, perhaps you, asked to reset the password of @${handle}. Open this link within ${RESET_MINUTES} minutes and choose a new password:`,
        `${ctx.config.BASE_URL}/?reset=${token}`,
        `Or paste this token: ${token}`,
        'If it was not you, ignore this email: your password stays as it is.',
      ],
    }
  },
  'password-was-reset': ({ config }, { handle }) => ({
    subject: 'Your password was reset',
    paragraphs: [
      `The password of @${handle} was reset with a link from an email to this address, and every login was ended.`,
      'If it was not you, someone else reads your email. Change the password of your email account first. Then choose “Forgot password” on the page where you log in:',
      config.BASE_URL,
    ],
  }),
  'already-verified': ({ config }, { handle }) => ({
    subject: 'Your address is already verified',
    paragraphs: [
      `Someone, perhaps you, asked for another verification email. Your address is verified, and your handle is @${handle}. Log in here:`,
      config.BASE_URL,
      'If it was not you, you can ignore this email.',
    ],
  }),
} satisfies Record<string, Template>

import { readPendingAddress, undoToken } from './address-tokens.ts'
import { CONFIRM_ADDRESS_HOURS, RESET_MINUTES, UNDO_ADDRESS_HOURS } from './lifetimes.ts'
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
  'confirm-address': async (ctx, { accountId, handle, detail }) => {
    const change = await readPendingAddress(ctx, accountId, detail)
    if (!change) return null
    if (change.isTaken) {
      return {
        subject: 'This address already has an account',
        paragraphs: [
          `The owner of the account @${handle} asked to use this address, but it belongs to another account, so nothing was changed.`,
          'If you own both accounts, log in to the other one and change its address first. If not, you can ignore this email.',
        ],
      }
    }
    return {
      subject: 'Confirm your new address',
      paragraphs: [
        `The owner of the account @${handle} asked to use this address from now on. Open this link within ${CONFIRM_ADDRESS_HOURS} hours to confirm it:`,
        `${ctx.config.BASE_URL}/?address=${change.token}`,
        `Or paste this token: ${change.token}`,
        'If you do not own this account, ignore this email: the account does not get your address.',
      ],
    }
  },
  'address-changed': async (ctx, { accountId, handle, detail }) => {
    const token = await undoToken(ctx, accountId, detail)
    if (!token) return null
    return {
      subject: 'Your address was changed',
      paragraphs: [
        `The account @${handle} has another address now, so it gets no more emails here.`,
        `If it was not you, open this link within ${UNDO_ADDRESS_HOURS} hours. It restores this address, ends every login and voids the password:`,
        `${ctx.config.BASE_URL}/?undo=${token}`,
        `Or paste this token: ${token}`,
      ],
    }
  },
  'address-left': (_, { handle }) => ({
    subject: 'Your address was removed',
    paragraphs: [`The account @${handle} has its former address again, so it gets no more emails here.`],
  }),
  'address-restored': async (ctx, { accountId, handle }) => {
    const token = await resetToken(ctx, accountId)
    if (!token) return null
    return {
      subject: 'Your address was restored',
      paragraphs: [
        `The account @${handle} has this address again. Every login was ended, and the password no longer works.`,
        `The person who changed the address may know it. Open this link within ${RESET_MINUTES} minutes and choose a new one:`,
        `${ctx.config.BASE_URL}/?reset=${token}`,
        `Or paste this token: ${token}`,
        'If the link has expired, choose “Forgot password” on the page where you log in.',
      ],
    }
  },
} satisfies Record<string, Template>

import type { Template } from './mail-text.ts'

const HINT =
  'If it was not you, somebody else is logged in to your account. Change your password, and check your apps under “Apps”:'

const linesOf = (detail: string | null) => (detail ?? '').split('\n')

/** `detail`: the name of the app, then what happened to it, each in a line. */
export const appTemplates = {
  'app-allowed': ({ config }, { handle, detail }) => ({
    subject: 'You allowed an app',
    paragraphs: [
      `The app “${detail}” was allowed to use the account @${handle}. To see what it may do, or to remove it, open “Apps”:`,
      `${config.BASE_URL}/security/apps`,
      'If it was not you, remove the app and change your password.',
    ],
  }),
  'app-secret-renewed': ({ config }, { handle, detail }) => ({
    subject: 'Your app has a new secret',
    paragraphs: [
      `Your app “${detail}” got a new secret by @${handle}. The former one no longer works.`,
      HINT,
      `${config.BASE_URL}/security/apps`,
    ],
  }),
  'app-redirects-added': ({ config }, { handle, detail }) => {
    const [name, ...added] = linesOf(detail)
    return {
      subject: 'Your app has a new redirect address',
      paragraphs: [
        `Redirect addresses were added to your app “${name}” by @${handle}: ${added.join(' ')}`,
        'People who allowed the app are asked again when it logs them in.',
        HINT,
        `${config.BASE_URL}/security/apps`,
      ],
    }
  },
  'app-disabled': (_, { handle, detail }) => {
    const [name, ...reason] = linesOf(detail)
    return {
      subject: 'Your app was disabled',
      paragraphs: [
        `The staff of this server disabled the app “${name}” of @${handle}. It gets no tokens, and those that it had have ended.`,
        `The reason: ${reason.join(' ')}`,
      ],
    }
  },
  'app-enabled': (_, { handle, detail }) => ({
    subject: 'Your app was enabled again',
    paragraphs: [
      `The staff of this server enabled the app “${detail}” of @${handle} again. People who allowed it need not do so again.`,
    ],
  }),
  'webhook-failing': ({ config }, { handle, detail }) => ({
    subject: 'Your webhook was paused',
    paragraphs: [
      `The webhook of @${handle} at ${detail} has failed for days, so it was paused. Messages that wait are kept.`,
      'Once the address works again, resume the webhook:',
      `${config.BASE_URL}/webhooks`,
    ],
  }),
  'webhook-gone': ({ config }, { handle, detail }) => ({
    subject: 'Your webhook was paused',
    paragraphs: [
      `The webhook of @${handle} at ${detail} answered that it is gone (410), so it was paused.`,
      'Delete it, or resume it if that was a mistake:',
      `${config.BASE_URL}/webhooks`,
    ],
  }),
} satisfies Record<string, Template>

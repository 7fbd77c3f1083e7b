import { html } from 'hono/html'
import type { SystemCtx } from '../../platform/context.ts'
import { sendEmail } from '../../platform/mail.ts'
import { openClients } from '../../platform/security/clients.ts'
import { appTemplates } from './app-mails.ts'
import { factorTemplates } from './factors/factor-mails.ts'
import { VERIFICATION_MINUTES } from './lifetimes.ts'
import type { Mail, Template } from './mail-text.ts'
import { providerTemplates } from './providers/provider-mails.ts'
import { recoveryTemplates } from './recovery-mails.ts'

export async function sendVerification(ctx: SystemCtx, to: string, handle: string, token: string): Promise<void> {
  const link = `${ctx.config.BASE_URL}/?verify=${token}`
  await send(ctx, to, 'Verify your address', [
    `The handle @${handle} was registered with this address. To create the account, open this link within ${VERIFICATION_MINUTES} minutes, in the browser in which you registered:`,
    link,
    `Or paste this token: ${token}`,
    'In another browser, you will be asked for your password. If it is rejected, someone else may have registered with your address after you. Register again.',
    'If you did not register, ignore this email: the link creates an account only for the person who registered.',
  ])
}

export async function sendAlreadyRegistered(ctx: SystemCtx, to: string): Promise<void> {
  await send(ctx, to, 'You already have an account', [
    'Someone, perhaps you, tried to register with this address. You already have an account. Log in here:',
    ctx.config.BASE_URL,
    'If it was not you, you can ignore this email.',
  ])
}

const PASSWORD_HINT =
  'If it was not you, reset your password at once: choose “Forgot password” on the page where you log in.'

/** The texts of the mails about an account, by the kind that `queueMail` stores. */
const templates = {
  ...recoveryTemplates,
  ...providerTemplates,
  ...factorTemplates,
  ...appTemplates,
  'password-changed': ({ config }, { handle }) => ({
    subject: 'Your password was changed',
    paragraphs: [
      `The password of @${handle} was changed, and every other login was ended.`,
      PASSWORD_HINT,
      config.BASE_URL,
    ],
  }),
  'handle-changed': ({ config }, { handle, detail }) => ({
    subject: 'Your handle was changed',
    paragraphs: [
      `Your handle @${detail} was changed to @${handle}. You can take the former one back at any time.`,
      PASSWORD_HINT,
      config.BASE_URL,
    ],
  }),
  'api-key-created': ({ config }, { handle, detail }) => ({
    subject: 'An API key was created',
    paragraphs: [
      `The API key “${detail}” was created for @${handle}. A program that has it can use your account until it expires or you delete it.`,
      `If it was not you, delete it under “API keys”. ${PASSWORD_HINT}`,
      config.BASE_URL,
    ],
  }),
  'api-key-deleted': ({ config }, { handle }) => ({
    subject: 'An API key was deleted',
    paragraphs: [
      `An API key of @${handle} was deleted. Programs cannot use it any more.`,
      PASSWORD_HINT,
      config.BASE_URL,
    ],
  }),
  'export-ready': ({ config }, { handle }) => ({
    subject: 'Your export is ready',
    paragraphs: [
      `The export of the data of @${handle} is ready. You can download it within 24 hours. Log in and open “Your data”:`,
      config.BASE_URL,
      'If you did not request it, change your password.',
    ],
  }),
  'new-device': async (ctx, { accountId, handle, detail }) => {
    const [client] = await openClients(ctx, accountId, [detail])
    return {
      subject: 'A new device logged in',
      paragraphs: [
        `Somebody logged in to @${handle} on a new device, or in a browser that was reset.`,
        `Device: ${client?.device ?? 'unknown'}. Place: ${client?.place ?? 'unknown'}.`,
        'If it was you, you can ignore this email. If it was not you, end that login and change your password:',
        ctx.config.BASE_URL,
      ],
    }
  },
  'registration-approved': ({ config }, { handle }) => ({
    subject: 'Your account was approved',
    paragraphs: [`A moderator has approved your account @${handle}. Log in here:`, config.BASE_URL],
  }),
  'registration-rejected': (_, { handle }) => ({
    subject: 'Your registration was declined',
    paragraphs: [
      `A moderator has declined your registration of @${handle}. No account was created, and your data will be deleted after a day.`,
    ],
  }),
  'deletion-requested': ({ config }, { handle }) => ({
    subject: 'Your account will be deleted',
    paragraphs: [
      `The deletion of @${handle} was requested. Nobody can see the account any more, and every login was ended.`,
      'To keep the account, log in before it is erased. If you did not request this, change your password too:',
      config.BASE_URL,
    ],
  }),
  'deletion-cancelled': ({ config }, { handle }) => ({
    subject: 'Your account will not be deleted',
    paragraphs: [`Someone logged in to @${handle}, which cancelled its deletion.`, PASSWORD_HINT, config.BASE_URL],
  }),
} satisfies Record<string, Template>

export type MailKind = keyof typeof templates

export async function sendTemplate(ctx: SystemCtx, to: string, mail: Mail): Promise<void> {
  const template = new Map<string, Template>(Object.entries(templates)).get(mail.kind)
  if (!template) throw new Error(`the mail ${mail.kind} is unknown`)
  const text = await template(ctx, mail)
  if (text) await send(ctx, to, text.subject, text.paragraphs)
}

async function send(ctx: SystemCtx, to: string, subject: string, paragraphs: string[]): Promise<void> {
  const body = await html`<!doctype html>
    <html lang="en">
      <body style="font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 2em auto; overflow-wrap: anywhere">
        ${paragraphs.map((text) => html`<p>${text.startsWith('http') ? html`<a href="${text}">${text}</a>` : text}</p>`)}
      </body>
    </html>`
  await sendEmail(ctx, { to, subject, html: String(body), text: paragraphs.join('\n\n') })
}

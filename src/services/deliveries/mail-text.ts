import { html } from 'hono/html'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { Notification } from '../notifications/views.ts'
import { isPublic } from '../posts/policy.ts'
import type { Settings } from './preferences.ts'
import { unsubscribeToken } from './unsubscribe.ts'

const actions: Record<Notification['kind'], string> = {
  follow: 'followed you',
  like: 'liked your post',
  comment: 'commented on your post',
  mention: 'mentioned you',
}

export const titleOf = ({ actor, kind }: Notification) => `${actor.displayName} ${actions[kind]}`

/** The text of its post, if the account asked for texts and everyone may read the post. */
export const quoteOf = ({ post }: Notification, { includeText }: Pick<Settings, 'includeText'>) =>
  includeText && post && isPublic(post) ? post.text : null

/** Where the page shows what a notification is about. */
export const pathOf = ({ post, actor }: Notification) => (post ? `/posts/${post.id}` : `/@${actor.handle}`)

/** The parts of one mail about all of these notifications. Its header lets mail programs unsubscribe (RFC 8058). */
export async function notificationMail(
  ctx: SystemCtx,
  accountId: Id,
  notifications: readonly Notification[],
  settings: Settings,
) {
  const base = ctx.config.BASE_URL
  const kinds = [...new Set(notifications.map(({ kind }) => kind))]
  const token = await unsubscribeToken(ctx, accountId, kinds)
  const stop = `${base}/?unsubscribe=${token}`
  const items = notifications.map((each) => ({
    title: titleOf(each),
    quote: quoteOf(each, settings),
    link: base + pathOf(each),
  }))
  const [first] = items
  const subject = items.length === 1 && first ? first.title : `${items.length} new notifications`
  const text = items.map(({ title, quote, link }) => [title, ...(quote ? [`“${quote}”`] : []), link].join('\n'))
  const footer = 'To stop such mails, open this page:'
  const body = await html`<!doctype html>
    <html lang="en">
      <body style="font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 2em auto; overflow-wrap: anywhere">
        ${items.map(({ title, quote, link }) => html`<p><a href="${link}">${title}</a>${quote ? html`<br>“${quote}”` : ''}</p>`)}
        <p>${footer} <a href="${stop}">unsubscribe</a></p>
      </body>
    </html>`
  return {
    subject,
    html: String(body),
    text: [...text, `${footer}\n${stop}`].join('\n\n'),
    headers: {
      'List-Unsubscribe': `<${base}/v1/notification-mails/unsubscribe?token=${token}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  }
}

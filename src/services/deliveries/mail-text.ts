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

const MAX_NAME = 60
const MAX_QUOTE = 280

/** What one message tells. With `hasMore` there are older notifications, too. */
export type Message = { wanted: readonly Notification[]; hasMore: boolean; settings: Settings }

export const titleOf = ({ actor, kind }: Notification) => `${short(actor.displayName, MAX_NAME)} ${actions[kind]}`

/** The beginning of its post, if the account asked for texts and everyone may read the post. */
export const quoteOf = ({ post }: Notification, { includeText }: Pick<Settings, 'includeText'>) =>
  includeText && post && isPublic(post) ? short(post.text, MAX_QUOTE) : null

/** Cut after code points. A grapheme may have hundreds of them, which no header or push could carry. */
function short(text: string, length: number): string {
  const letters = [...text]
  return letters.length > length ? `${letters.slice(0, length - 1).join('')}…` : text
}

export const subjectOf = (message: Message) => {
  const single = singleOf(message)
  return single ? titleOf(single) : `${message.wanted.length}${message.hasMore ? '+' : ''} new notifications`
}

export const singleOf = ({ wanted: [first, ...others], hasMore }: Message) =>
  first && others.length === 0 && !hasMore ? first : null

export const pathOf = ({ post, actor }: Notification) => (post ? `/posts/${post.id}` : `/@${actor.handle}`)

/** The parts of one mail about all of these notifications. Its header lets mail programs unsubscribe (RFC 8058). */
export async function notificationMail(ctx: SystemCtx, accountId: Id, message: Message) {
  const { wanted, hasMore, settings } = message
  const base = ctx.config.BASE_URL
  const kinds = [...new Set(wanted.map(({ kind }) => kind))]
  const token = await unsubscribeToken(ctx, accountId, kinds)
  const stop = `${base}/?unsubscribe=${token}`
  const items = wanted.map((each) => ({
    title: titleOf(each),
    quote: quoteOf(each, settings),
    link: base + pathOf(each),
  }))
  const more = hasMore ? 'And older ones.' : ''
  const text = items.map(({ title, quote, link }) => [title, ...(quote ? [`“${quote}”`] : []), link].join('\n'))
  const footer = 'To stop such mails, open this page:'
  const body = await html`<!doctype html>
    <html lang="en">
      <body style="font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 2em auto; overflow-wrap: anywhere">
        ${items.map(({ title, quote, link }) => html`<p><a href="${link}">${title}</a>${quote ? html`<br>“${quote}”` : ''}</p>`)}
        ${more ? html`<p>${more}</p>` : ''}
        <p>${footer} <a href="${stop}">unsubscribe</a></p>
      </body>
    </html>`
  return {
    subject: subjectOf(message),
    html: String(body),
    text: [...text, ...(more ? [more] : []), `${footer}\n${stop}`].join('\n\n'),
    headers: {
      'List-Unsubscribe': `<${base}/v1/notification-mails/${token}/unsubscribe>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  }
}

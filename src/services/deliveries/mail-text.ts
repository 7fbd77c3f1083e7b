import { html } from 'hono/html'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { type Message, subjectOf } from './items.ts'
import { unsubscribeToken } from './unsubscribe.ts'

/** The parts of one mail about all of these items. Its header lets mail programs unsubscribe (RFC 8058). */
export async function notificationMail(ctx: SystemCtx, accountId: Id, message: Message) {
  const base = ctx.config.BASE_URL
  const kinds = [...new Set(message.items.map(({ kind }) => kind))]
  const token = await unsubscribeToken(ctx, accountId, kinds)
  const stop = `${base}/?unsubscribe=${token}`
  const items = message.items.map(({ title, quote, path }) => ({ title, quote, link: base + path }))
  const more = message.hasMore ? 'And older ones.' : ''
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

import { html } from 'hono/html'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { ExportEntry } from '../../platform/personal-data.ts'
import { lanes } from '../feed/tables.ts'
import { exportedPosts } from '../posts/queries.ts'

/** What the files of an export contain, by path. Other files are listed without a description. */
const described = new Map([
  ['login.json', 'Your address, role and password dates'],
  ['former-names.json', 'Your former handles and addresses, and a new address that is not confirmed yet'],
  ['linked-providers.json', 'The identities at providers with which you log in'],
  ['sessions.json', 'Where you are logged in'],
  ['second-factors.json', 'Your authenticator app and passkeys'],
  ['invitations.json', 'The invitations that you created'],
  ['api-keys.json', 'Your API keys'],
  ['apps.json', 'The apps that you made'],
  ['allowed-apps.json', 'The apps that you allowed to act for you'],
  ['webhooks.json', 'Where events of your account are sent'],
  ['account.json', 'Your profile'],
  ['following.json', 'Whom you follow'],
  ['followers.json', 'Who follows you'],
  ['blocks.json', 'Whom you block'],
  ['posts.json', 'Your posts'],
  ['comments.json', 'Your comments'],
  ['likes.json', 'What you like'],
  ['conversations.json', 'Your conversations'],
  ['message-settings.json', 'Your settings for messages'],
  ['reactions.json', 'Your reactions to messages'],
  ['messages.json', 'The messages that you have sent, with their images and what they said before edits'],
  ['notifications.json', 'Your notifications'],
  ['notifications-read.json', 'When you last read your notifications'],
  ['notification-rules.json', 'Whose actions notify you, since each change'],
  ['notification-preferences.json', 'Your quiet hours'],
  ['delivery-turns.json', 'When the last mails and pushes about notifications and messages were sent to you'],
  ['digest.json', 'How often, and when, you want a mail with the notifications that you have not read'],
  ['push-subscriptions.json', 'The browsers that get your pushes'],
  ['deliveries.json', 'The mails and pushes about notifications'],
  ['media.json', 'Your images, with their descriptions'],
  ['access.json', 'What the staff gave your account: roles, attributes and grants'],
  ['audit.json', 'What happened to your account'],
  ['followed-hashtags.json', 'The hashtags that you follow'],
  ['insights.json', 'How often your posts were liked and commented on, and you were followed, by day'],
  ['activity-choice.json', 'Whether you agreed to be counted in statistics'],
  ['exports.json', 'The exports that you requested'],
])

/** The page that opens the export in a browser. It needs no server and contains no script. */
export async function* indexPage(ctx: SystemCtx, accountId: Id, paths: readonly string[]): AsyncGenerator<ExportEntry> {
  yield { path: 'index.html', body: page(ctx, accountId, paths) }
}

async function* page(ctx: SystemCtx, accountId: Id, paths: readonly string[]) {
  const files = paths.filter((path) => !path.includes('/'))
  const images = new Map(paths.flatMap((path) => (path.startsWith('media/') ? [[imageIdOf(path), path]] : [])))
  yield head
  yield String(await fileList(files, images.size))
  yield '<h2>Posts</h2>\n'
  for await (const posts of exportedPosts(ctx, accountId, lanes.posts)) yield await articles(posts, images)
  yield '<h2>Comments</h2>\n'
  for await (const posts of exportedPosts(ctx, accountId, lanes.comments)) yield await articles(posts, images)
  yield '</main></body></html>\n'
}

const imageIdOf = (path: string) => path.split(/[/.]/)[1] ?? ''

const head = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'">
<title>Your data at SocialConnect</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 0 auto; padding: 1em; overflow-wrap: anywhere }
article { border-top: 1px solid #8886; padding: 1em 0 }
p { margin: 0.25em 0; white-space: pre-wrap }
time { opacity: 0.75; font-size: 0.875em }
img { display: block; max-width: 100%; height: auto; margin: 0.5em 0; border-radius: 0.5em }
</style>
</head>
<body><main>
<h1>Your data at SocialConnect</h1>
`

function fileList(files: readonly string[], images: number) {
  return html`<h2>Files</h2>
<ul>
${files.map((path) => html`<li><a href="${path}">${path}</a> ${described.get(path) ?? ''}</li>\n`)}
<li>${images} images in the folder <code>media</code></li>
</ul>
`
}

type Shown = { id: Id; text: string; createdAt: string; media: { id: Id; alt: string }[] }

async function articles(posts: readonly Shown[], images: ReadonlyMap<string, string>): Promise<string> {
  const shown = posts.map(
    ({ text, createdAt, media }) => html`<article>
<time datetime="${createdAt}">${createdAt}</time>
<p>${text}</p>
${media.map(({ id, alt }) => image(images.get(id), alt))}
</article>
`,
  )
  return (await Promise.all(shown)).join('')
}

function image(path: string | undefined, alt: string) {
  return path ? html`<img src="${path}" alt="${alt}" title="${alt}" loading="lazy">\n` : ''
}

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account, Media, Notification, Page, Post, Registered, Tokens } from '../src/client/wire.ts'
import { jpeg } from '../test/support/images.ts'
import { urlOption } from './cli.ts'
import { main, UsageError } from './command.ts'
import { makeCaller } from './demo/caller.ts'
import { readToken } from './demo/inbox.ts'
import { endLogin, logInElsewhere, type Person, resetPassword } from './demo/logins.ts'
import { type Live, openSocket } from './demo/socket.ts'
import { ensure, step } from './demo/story.ts'
import { fetchInTime } from './fetch-in-time.ts'

const QUOTA = 100
const WINDOW_MS = 60_000

const suffix = Date.now().toString(36)

let url = ''

async function play(): Promise<void> {
  const [ada, bob] = await step('ada and bob register and verify their addresses', () =>
    Promise.all([register('ada'), register('bob')]),
  )
  await step('bob follows ada', () => follow(bob, ada))
  const bobLive = await step('bob opens a socket with a ticket', () => openSocket(bob))
  const image = await step('ada uploads a JPEG', () => upload(ada))
  const key = randomUUID()
  const draft = { text: `Hello @${bob.handle}, this is my first #sunset`, media: [image.id] }
  const post = await step('ada posts the image with text, a hashtag and a mention', () => publish(ada, bob, draft, key))
  await step('the post and the mention arrive on bob’s socket', () => arrive(bobLive, post))
  await step('the post is in bob’s home feed, with its image', () => readHome(bob, post))
  const adaLive = await step('ada opens a socket with a ticket', () => openSocket(ada))
  const comment = await step('bob likes the post and comments on it', () => react(bob, post))
  await step('both notifications arrive on ada’s socket and are in her list', () => readNotifications(ada, adaLive))
  await step('ada reads the comment thread', () => readThread(ada, post, comment))
  await step('repeating the POST with its Idempotency-Key creates no second post', () => retry(ada, draft, key, post))
  const hidden = await step('ada posts for followers only, and bob can read the post', () => publishPrivately(ada, bob))
  await step(`bob’s ${QUOTA + 1}st request in a minute gets 429 with Retry-After`, () => exhaust(bob))
  await step('carol, who does not follow ada, gets 404 for that post', () => readAsStranger(hidden))
  const phone = await step('ada logs in on her phone, too', () => logInElsewhere(ada))
  const phoneLive = await step('the phone opens a socket', () => openSocket(phone))
  await step('ada ends the login of the phone, whose socket closes', () => endLogin(ada, phone, phoneLive))
  await step('ada resets her password by email, which ends her login', () => resetPassword(ada, adaLive))
  bobLive.close()
}

async function register(name: string): Promise<Person> {
  const caller = makeCaller(url, name)
  const handle = `${name}_${suffix}`
  const email = `${handle}@people.example`
  const password = randomUUID()
  const answer = await caller.ask<Registered>('POST', '/auth/register', { json: { handle, email, password } })
  if (answer.status === 429) throw new Error(tooMany(Number(answer.headers.get('retry-after'))))
  ensure(answer.status === 202, `${name} gets 202, not ${answer.status}: ${JSON.stringify(answer.body)}`)
  const token = await readToken(url, email)
  const { registrationToken } = answer.body
  const { body } = await caller.call<Tokens>('POST', '/auth/verify', 200, { json: { token, registrationToken } })
  // From now on, requests count against the rate limit of the account, so the count starts again.
  return Object.assign(caller, {
    token: body.accessToken,
    admitted: 0,
    firstAt: null,
    email,
    password,
    ...body.account,
  })
}

const tooMany = (seconds: number) =>
  `Too many registrations from this address: run the demo again in ${Math.ceil(seconds / 60)} min, or start the server with new data: npm start -- --persist-to DIR`

/** Resolves once the follow is mirrored to ada's shard, because only mirrored followers get her posts pushed. */
async function follow(bob: Person, ada: Person): Promise<void> {
  const { body } = await bob.call<Account>('PUT', `/accounts/${ada.id}/follow`, 200)
  ensure(body.relation?.following === true, 'bob follows ada')
  for (let n = 0; n < 100; n++) {
    const { body: followed } = await ada.call<Account>('GET', `/accounts/${ada.id}`, 200)
    if (followed.followerCount === 1) return
    await sleep(50)
  }
  throw new Error('The follow did not reach ada’s shard')
}

async function upload(ada: Person): Promise<Media> {
  const form = new FormData()
  form.set('file', new File([jpeg({ width: 640, height: 480 })], 'dusk.jpg', { type: 'image/jpeg' }))
  form.set('alt', 'A dusk, blue above and orange below')
  return (await ada.call<Media>('POST', '/media', 201, { form })).body
}

type Draft = { text: string; media: string[] }

async function publish(ada: Person, bob: Person, draft: Draft, idempotencyKey: string): Promise<Post> {
  const { body } = await ada.call<Post>('POST', '/posts', 201, { json: draft, idempotencyKey })
  const points = Array.from(draft.text)
  const kinds = body.entities.map(({ kind, start, end }) => `${kind} ${points.slice(start, end).join('')}`)
  ensure(kinds.join() === `mention @${bob.handle},hashtag #sunset`, 'the mention and the hashtag are found')
  return body
}

async function arrive(bobLive: Live, post: Post): Promise<void> {
  await bobLive.frame('home', 'post.published', { postId: post.id })
  await bobLive.frame('notifications', 'notification', { kind: 'mention' })
}

async function readHome(bob: Person, post: Post): Promise<void> {
  const { body } = await bob.call<Page<Post>>('GET', '/feeds/home', 200)
  const [newest] = body.items
  ensure(newest?.id === post.id, 'ada’s post is the newest')
  const thumbnail = await fetchInTime(new URL(newest.media[0]!.thumbnailUrl, url))
  ensure(thumbnail.headers.get('content-type')?.startsWith('image/') === true, 'the thumbnail is an image')
}

async function react(bob: Person, post: Post): Promise<Post> {
  const { body: liked } = await bob.call<Post>('PUT', `/posts/${post.id}/like`, 200)
  ensure(liked.liked && liked.likeCount === 1, 'the like is counted once')
  const json = { text: 'What a sky!', parentId: post.id }
  return (await bob.call<Post>('POST', '/posts', 201, { json })).body
}

async function readNotifications(ada: Person, adaLive: Live): Promise<void> {
  for (const kind of ['like', 'comment']) await adaLive.frame('notifications', 'notification', { kind })
  const { body } = await ada.call<Page<Notification>>('GET', '/notifications', 200)
  const kinds = body.items.map(({ kind, unread }) => `${kind}${unread ? '' : ' (read)'}`).sort()
  ensure(kinds.join() === 'comment,follow,like', `a comment, a follow and a like are listed, not ${kinds}`)
}

async function readThread(ada: Person, post: Post, comment: Post): Promise<void> {
  const { body } = await ada.call<Page<Post>>('GET', `/posts/${post.id}/comments`, 200)
  ensure(body.items.map(({ id }) => id).join() === comment.id, 'bob’s comment is the one in the thread')
}

async function retry(ada: Person, json: Draft, idempotencyKey: string, post: Post): Promise<void> {
  const { body, headers } = await ada.call<Post>('POST', '/posts', 201, { json, idempotencyKey })
  ensure(body.id === post.id, 'the response is the first post')
  ensure(headers.get('idempotency-replayed') === 'true', 'the response is marked as a replay')
  const { body: page } = await ada.call<Page<Post>>('GET', `/accounts/${ada.id}/posts`, 200)
  ensure(page.items.length === 1, 'ada has one post')
}

async function publishPrivately(ada: Person, bob: Person): Promise<Post> {
  const json = { text: 'For my followers', visibility: 'followers' }
  const { body } = await ada.call<Post>('POST', '/posts', 201, { json })
  await bob.call('GET', `/posts/${body.id}`, 200)
  return body
}

async function readAsStranger(hidden: Post): Promise<void> {
  const carol = await register('carol')
  await carol.call('GET', `/posts/${hidden.id}`, 404)
}

/** Sends requests until one is refused. If the minute of the rate limit ends before that, tries once more. */
async function exhaust(bob: Person): Promise<void> {
  let refused = await requestUntilRefused(bob)
  if (performance.now() - bob.firstAt! > WINDOW_MS) {
    await sleep(Number(refused.get('retry-after')) * 1_000)
    Object.assign(bob, { admitted: 0, firstAt: null })
    refused = await requestUntilRefused(bob)
  }
  const wait = Number(refused.get('retry-after'))
  ensure(wait >= 1 && wait <= 60, `Retry-After is 1 to 60 s, not ${refused.get('retry-after')}`)
  ensure(bob.admitted === QUOTA, `${QUOTA} requests were admitted, not ${bob.admitted}`)
}

async function requestUntilRefused(bob: Person): Promise<Headers> {
  for (let n = 0; n <= 2 * QUOTA; n++) {
    const { status, headers } = await bob.ask('GET', '/notifications/unread-count')
    if (status === 429) return headers
    ensure(status === 200, `bob gets 200 or 429, not ${status}`)
  }
  throw new Error(`more than ${2 * QUOTA} requests of bob were admitted`)
}

async function requireServer(): Promise<void> {
  await fetchInTime(`${url}/healthz`).catch((error: Error) => {
    const reason = error.cause ? `Nothing answers at ${url}` : error.message
    throw new Error(`${reason}: run npm start first, or pass its address: npm run demo -- --url http://127.0.0.1:8788`)
  })
}

const usage = {
  command: 'npm run demo',
  purpose: 'Plays the main scenario with two users against a running server, over HTTP and a WebSocket.',
  options: urlOption,
  examples: ['', '--url http://127.0.0.1:8788'],
} as const

await main(usage, async ({ values }) => {
  if (!URL.canParse(values.url)) throw new UsageError('--url takes an address, such as http://127.0.0.1:8787.')
  url = new URL(values.url).origin
  await requireServer()
  const started = performance.now()
  process.stdout.write(`\nPlaying the main scenario against ${url}\n\n`)
  await play()
  process.stdout.write(`\n  All steps succeeded in ${((performance.now() - started) / 1_000).toFixed(1)} s.\n\n`)
})

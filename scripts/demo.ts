import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, type Media, type Post, type PostCreation } from '../src/client/client.ts'
import { freePort, Server } from '../test/crash/server.ts'
import { jpeg } from '../test/support/images.ts'
import { urlOption } from './cli.ts'
import { main, UsageError } from './command.ts'
import { actAsApp, allowApp, registerApp, removeApp } from './demo/apps.ts'
import { makeCaller, refused } from './demo/caller.ts'
import { gather, talk, talkThrough } from './demo/conversations.ts'
import { readToken } from './demo/inbox.ts'
import { readInsights } from './demo/insights.ts'
import { endLogin, logInElsewhere, type Person, resetPassword } from './demo/logins.ts'
import { readScreen } from './demo/screen.ts'
import { closeSockets, type Live, openSocket } from './demo/socket.ts'
import { ensure, step } from './demo/story.ts'
import { trend } from './demo/trends.ts'
import { receiveWebhook } from './demo/webhooks.ts'
import { fetchInTime } from './fetch-in-time.ts'

const QUOTA = 100
const MESSAGES = 8
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
  const draft: Draft = { text: `Hello @${bob.handle}, this is my first #sunset`, media: [image.id] }
  const post = await step('ada posts the image with text, a hashtag and a mention', () => publish(ada, bob, draft, key))
  await step('the post and the mention arrive on bob’s socket', () => arrive(bobLive, post))
  await step('the post is in bob’s home feed, with its image', () => readHome(bob, post))
  const adaLive = await step('ada opens a socket with a ticket', () => openSocket(ada))
  const comment = await step('bob likes the post and comments on it', () => react(bob, post))
  await step('both notifications arrive on ada’s socket and are in her list', () => readNotifications(ada, adaLive))
  await step('ada reads the comment thread', () => readThread(ada, post, comment))
  await step('bob’s like moves ada’s chart', () => readInsights(ada))
  await step('ada’s first screen takes seven requests, or one GraphQL query', () => readScreen(ada))
  await step('repeating the POST with its Idempotency-Key creates no second post', () => retry(ada, draft, key, post))
  await step('a comment of bob reaches ada’s webhook, with a valid signature', () => receiveWebhook(ada, bob, post.id))
  await step('ada and bob write to each other, and see the same numbered log', () => talk(ada, bob, bobLive))
  await step('ada starts a group, and bob reads what she writes', () => gather(ada, bob))
  const hidden = await step('ada posts for followers only, and bob can read the post', () => publishPrivately(ada, bob))
  await step(`bob’s ${QUOTA + 1}st request in a minute gets 429 with Retry-After`, () => exhaust(bob))
  await step('carol, who does not follow ada, gets 404 for that post', () => readAsStranger(hidden))
  const app = await step('ada registers an app of her own', () => registerApp(ada))
  const tokens = await step('ada allows the app to read and publish, with OAuth', () => allowApp(ada, app))
  await step('the app publishes as ada, and may do nothing else', () => actAsApp(ada, tokens))
  await step('ada removes the app, and its token ends', () => removeApp(ada, app, tokens))
  const phone = await step('ada logs in on her phone, too', () => logInElsewhere(ada))
  const phoneLive = await step('the phone opens a socket', () => openSocket(phone))
  await step('ada ends the login of the phone, whose socket closes', () => endLogin(ada, phone, phoneLive))
  await step('ada resets her password by email, which ends her login', () => resetPassword(ada, adaLive))
}

/** On a server of its own, because it is killed: with SIGKILL, wrangler and workerd too. */
async function playKill(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'socialconnect-demo-'))
  // Its accounts are too young for the default.
  const server = new Server(await freePort(), stateDir, { TREND_NEWCOMER_DAYS: '0' })
  url = server.origin
  try {
    await step('a server starts with new data', () => server.start())
    const people = await step('ada, bob and carol register', () =>
      Promise.all([register('ada'), register('bob'), register('carol')]),
    )
    const [ada, bob] = people
    await step('all three write about one hashtag, which then trends', () => trend(people, url, `storm${suffix}`))
    const log = await step('ada and bob write; the server is killed and starts again; both read one log', () =>
      talkThrough([ada, bob], MESSAGES, async () => {
        await server.kill()
        await server.start()
      }),
    )
    process.stdout.write(`\n${log.map((line) => `    ${line}\n`).join('')}`)
  } finally {
    await server.kill()
    await rm(stateDir, { recursive: true, force: true })
  }
}

async function register(name: string): Promise<Person> {
  const caller = makeCaller(url, name)
  const handle = `${name}_${suffix}`
  const email = `${handle}@people.example`
  const password = randomUUID()
  const { registrationToken } = await caller.client.register({ handle, email, password }).catch((error: unknown) => {
    throw error instanceof ApiError && error.status === 429 ? new Error(tooMany(error.retryAfter ?? 0)) : error
  })
  const token = await readToken(url, email)
  const { account } = await caller.client.verifyAddress({ token, registrationToken })
  // From now on, requests count against the rate limit of the account, so the count starts again.
  return Object.assign(caller, { admitted: 0, firstAt: null, email, password, ...account })
}

const tooMany = (seconds: number) =>
  `Too many registrations from this address: run the demo again in ${Math.ceil(seconds / 60)} min, or start the server with new data: npm start -- --persist-to DIR`

/** Resolves once the follow is mirrored to ada's shard, because only mirrored followers get her posts pushed. */
async function follow(bob: Person, ada: Person): Promise<void> {
  const { relation } = await bob.client.followAccount({ accountId: ada.id })
  ensure(relation?.following === true, 'bob follows ada')
  for (let n = 0; n < 100; n++) {
    const { followerCount } = await ada.client.getAccount({ accountId: ada.id })
    if (followerCount === 1) return
    await sleep(50)
  }
  throw new Error('The follow did not reach ada’s shard')
}

function upload({ client }: Person): Promise<Media> {
  const file = new File([jpeg({ width: 640, height: 480 })], 'dusk.jpg', { type: 'image/jpeg' })
  return client.uploadMedia({ file, alt: 'A dusk, blue above and orange below' })
}

async function publish(ada: Person, bob: Person, draft: Draft, idempotencyKey: string): Promise<Post> {
  const post = await ada.client.createPost(draft, { idempotencyKey })
  const points = Array.from(draft.text)
  const kinds = post.entities.map(({ kind, start, end }) => `${kind} ${points.slice(start, end).join('')}`)
  ensure(kinds.join() === `mention @${bob.handle},hashtag #sunset`, 'the mention and the hashtag are found')
  return post
}

type Draft = PostCreation & { text: string }

async function arrive(bobLive: Live, post: Post): Promise<void> {
  await bobLive.frame('post.published', { postId: post.id })
  await bobLive.frame('notification', { kind: 'mention' })
}

async function readHome(bob: Person, post: Post): Promise<void> {
  const { items } = await bob.client.getHomeFeed()
  const [newest] = items
  ensure(newest?.id === post.id, 'ada’s post is the newest')
  const thumbnail = await fetchInTime(new URL(newest.media[0]!.thumbnailUrl, url))
  ensure(thumbnail.headers.get('content-type')?.startsWith('image/') === true, 'the thumbnail is an image')
}

async function react({ client }: Person, { id }: Post): Promise<Post> {
  const { liked, likeCount } = await client.likePost({ postId: id })
  ensure(liked && likeCount === 1, 'the like is counted once')
  return client.createPost({ text: 'What a sky!', parentId: id })
}

async function readNotifications(ada: Person, adaLive: Live): Promise<void> {
  for (const kind of ['like', 'comment'] as const) await adaLive.frame('notification', { kind })
  const { items } = await ada.client.listNotifications()
  const kinds = items.map(({ kind, unread }) => `${kind}${unread ? '' : ' (read)'}`).sort()
  ensure(kinds.join() === 'comment,follow,like', `a comment, a follow and a like are listed, not ${kinds}`)
}

async function readThread({ client }: Person, post: Post, comment: Post): Promise<void> {
  const ids: string[] = []
  for await (const { id } of client.pages.listComments({ postId: post.id })) ids.push(id)
  ensure(ids.join() === comment.id, 'bob’s comment is the one in the thread')
}

async function retry(ada: Person, draft: Draft, idempotencyKey: string, post: Post): Promise<void> {
  const { id } = await ada.client.createPost(draft, { idempotencyKey })
  ensure(id === post.id, 'the response is the first post')
  ensure(ada.headers.get('idempotency-replayed') === 'true', 'the response is marked as a replay')
  const { items } = await ada.client.getAccountFeed({ accountId: ada.id })
  ensure(items.length === 1, 'ada has one post')
}

async function publishPrivately(ada: Person, bob: Person): Promise<Post> {
  const post = await ada.client.createPost({ text: 'For my followers', visibility: 'followers' })
  await bob.client.getPost({ postId: post.id })
  return post
}

async function readAsStranger(hidden: Post): Promise<void> {
  const { client } = await register('carol')
  await refused(404, client.getPost({ postId: hidden.id }))
}

/** Sends requests until one is refused. If the minute of the rate limit ends before that, tries once more. */
async function exhaust(bob: Person): Promise<void> {
  let wait = await requestUntilRefused(bob)
  if (performance.now() - bob.firstAt! > WINDOW_MS) {
    await sleep(wait * 1_000)
    Object.assign(bob, { admitted: 0, firstAt: null })
    wait = await requestUntilRefused(bob)
  }
  ensure(wait >= 1 && wait <= 60, `Retry-After is 1 to 60 s, not ${wait}`)
  ensure(bob.admitted === QUOTA, `${QUOTA} requests were admitted, not ${bob.admitted}`)
}

/** Returns the `Retry-After` of the refusal. */
async function requestUntilRefused({ client }: Person): Promise<number> {
  for (let n = 0; n <= 2 * QUOTA; n++) {
    try {
      await client.countUnreadNotifications()
    } catch (error) {
      if (error instanceof ApiError && error.status === 429) return error.retryAfter ?? 0
      throw error
    }
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
  options: {
    ...urlOption,
    kill: {
      type: 'boolean',
      default: false,
      help: 'kills a server of its own while two people write to each other, and compares what both read afterwards',
    },
  },
  examples: ['', '--url http://127.0.0.1:8788', '--kill'],
} as const

await main(usage, async ({ values }) => {
  if (!URL.canParse(values.url)) throw new UsageError('--url takes an address, such as http://127.0.0.1:8787.')
  url = new URL(values.url).origin
  if (!values.kill) await requireServer()
  const started = performance.now()
  const scene = values.kill ? 'a conversation that a killed server interrupts' : `the main scenario against ${url}`
  process.stdout.write(`\nPlaying ${scene}\n\n`)
  await (values.kill ? playKill() : play()).finally(closeSockets)
  process.stdout.write(`\n  All steps succeeded in ${((performance.now() - started) / 1_000).toFixed(1)} s.\n\n`)
})

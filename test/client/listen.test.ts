import { expect, test, vi } from 'vitest'
import type { LiveEvent } from '../../src/client/client.ts'
import type { ListenOptions } from '../../src/client/listen.ts'
import { frameOf } from '../../src/platform/realtime/channels.ts'
import { homeChannel } from '../../src/services/feed/channels.ts'
import { PASSWORD, type RegisteredUser, registeredUser } from '../support/actors.ts'
import { clientOf, requestsTo } from '../support/api-client.ts'
import { appSockets, manualTime } from '../support/app-socket.ts'
import { hubOf } from '../support/hubs.ts'

const soon = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 25_000, interval: 5 })

/** A user that listens. `events` are those so far; `ended` is what the loop has thrown. */
async function listener({ channels = ['home', 'notifications'], ...more }: ListenOptions = {}) {
  const options = { channels, ...more }
  const user = await registeredUser()
  const time = manualTime()
  const { WebSocket, sockets } = appSockets()
  const app = clientOf(user, { WebSocket, sleep: time.sleep, random: () => 1 })
  const events: LiveEvent[] = []
  const ended: unknown[] = []
  const loop = async () => {
    for await (const event of app.client.listen(options)) events.push(event)
  }
  void loop().catch((error: unknown) => ended.push(error))
  await soon(() => events.length === 2 || ended.length > 0)
  return { user, time, app, sockets, events, ended }
}

const publishPost = (user: RegisteredUser, key: string) =>
  hubOf(user.id).publish([
    frameOf(homeChannel, `author:${user.id}`, {
      key: `${key} of ${user.id}`,
      event: 'post.published',
      data: { postId: key as never, authorId: user.id },
    }),
  ])

const postIds = (events: LiveEvent[]) =>
  events.flatMap((event) => (event.event === 'post.published' ? [event.data.postId] : []))
const names = (events: LiveEvent[]) => events.map(({ event }) => event)

test('a socket opens with a ticket, says that lists are to be read, and gets the frames of its channels', async () => {
  const { user, sockets, events, app } = await listener({ channels: ['home'] })
  expect(names(events)).toEqual(['connected', 'refetch'])
  await publishPost(user, '11')
  await soon(() => events.length === 3)
  expect(events[2]).toEqual({
    event: 'post.published',
    channel: 'home',
    seq: expect.any(Number),
    data: { postId: '11', authorId: user.id },
  })
  expect(sockets[0]!.url.searchParams.get('channels')).toBe('home')
  expect(requestsTo(app, '/v1/realtime/tickets').length).toBe(1)
})

test('after a break, the socket goes on where it stopped, without a gap and without a repetition', async () => {
  const { user, time, sockets, events, app } = await listener({ channels: ['home', 'conversations'] })
  await publishPost(user, '11')
  await soon(() => events.length === 3)
  for (let round = 0; round < 3; round++) {
    sockets[round]!.drop()
    await publishPost(user, `2${round}`)
    const wait = 2_000 * 2 ** round
    await soon(() => names(events).at(-1) === 'disconnected' && time.pending().includes(wait))
    await publishPost(user, `3${round}`)
    await time.advance(wait)
    await soon(() => postIds(events).includes(`3${round}`))
  }
  expect(postIds(events)).toEqual(['11', '20', '30', '21', '31', '22', '32'])
  const refetches = events.flatMap((event) => (event.event === 'refetch' ? [event.channels ?? 'all'] : []))
  expect(refetches).toEqual(['all', ...Array.from({ length: 3 }, () => ['conversations'])])
  const seqs = events.flatMap((event) => (event.event === 'post.published' ? [String(event.seq)] : []))
  const positions = sockets.map(({ url }) => url.searchParams.get('since'))
  expect(positions).toEqual([null, seqs[0], seqs[2], seqs[4]])
  expect(requestsTo(app, '/v1/realtime/tickets').length).toBe(4)
})

test('a listener that stored its position goes on there; one whose position is too old is told to read again', async () => {
  const { user, events } = await listener()
  for (const key of ['11', '12', '13']) await publishPost(user, key)
  await soon(() => events.length === 5)
  const heir = (since: number) => {
    const { WebSocket } = appSockets()
    const heard: LiveEvent[] = []
    const { client } = clientOf(user, { WebSocket, credential: user.token, sleep: manualTime().sleep })
    void (async () => {
      for await (const event of client.listen({ since })) heard.push(event)
    })()
    return heard
  }
  const resumed = heir(events[2]!.event === 'post.published' ? events[2]!.seq : 0)
  await soon(() => resumed.length === 4)
  expect(resumed[0]).toMatchObject({ event: 'connected', seq: (events[2] as { seq: number }).seq })
  expect(postIds(resumed)).toEqual(['12', '13'])
  const lost = heir(99)
  await soon(() => lost.length === 2)
  expect(names(lost)).toEqual(['connected', 'refetch'])
})

test('a revoked login ends the loop with `session_ended`, and no further ticket is requested', async () => {
  const { user, time, events, ended, app } = await listener()
  await user.fetch('/v1/auth/logout-all', { method: 'POST' })
  await soon(() => ended.length > 0 || names(events).at(-1) === 'disconnected')
  await soon(() => ended.length > 0)
  expect(ended).toMatchObject([{ code: 'session_ended', status: 401 }])
  expect(names(events)).toEqual(['connected', 'refetch', 'disconnected'])
  expect(requestsTo(app, '/v1/realtime/tickets').length).toBe(1)
  expect(time.pending()).toEqual([])
})

test('while tickets are refused, the waits grow up to 30 s, and are never shorter than Retry-After', async () => {
  const { time, sockets, app, events } = await listener()
  const answers = [503, 503, 503, 503, 503, 429]
  app.answer(async ({ path }, forward) => {
    const status = path.endsWith('/tickets') ? answers.shift() : undefined
    if (status === undefined) return forward()
    return new Response('{}', { status, headers: status === 429 ? { 'retry-after': '600' } : {} })
  })
  sockets[0]!.drop()
  const waits: number[] = []
  while (waits.length < 8) {
    await soon(() => time.pending().length > 0)
    const wait = Math.max(...time.pending())
    waits.push(wait)
    await time.advance(wait)
    if (sockets.length > 1) break
  }
  expect(waits.filter((wait) => wait > 0)).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 600_000, 30_000])
  await soon(() => names(events).at(-1) === 'connected')
})

test('a silent connection gets a ping after 30 s, and is replaced when no pong follows within 10 s', async () => {
  const { time, sockets, events } = await listener()
  await time.advance(29_750)
  expect(sockets[0]!.sent).toEqual([])
  await time.advance(250)
  expect(sockets[0]!.sent).toEqual(['ping'])
  await soon(() => sockets[0]!.pongs === 1)
  sockets[0]!.silence()
  await time.advance(39_750)
  expect([sockets[0]!.sent, names(events).at(-1)]).toEqual([['ping', 'ping'], 'refetch'])
  await time.advance(250)
  await soon(() => names(events).at(-1) === 'disconnected')
  await time.advance(2_000)
  await soon(() => sockets.length === 2 && names(events).at(-1) === 'connected')
})

test('without a network, the socket closes at once, and it opens again as soon as the network is back', async () => {
  const network = new EventTarget()
  const { sockets, events, time } = await listener({ network })
  network.dispatchEvent(new Event('offline'))
  await soon(() => names(events).at(-1) === 'disconnected')
  expect(sockets[0]!.readyState).toBe(3)
  await time.advance(0)
  await soon(() => time.pending().includes(2_000))
  network.dispatchEvent(new Event('online'))
  await soon(() => names(events).at(-1) === 'connected')
})

test('an aborted listener throws the reason of its signal and closes its socket; so does one that leaves the loop', async () => {
  const stop = new AbortController()
  const { sockets, ended, user } = await listener({ signal: stop.signal })
  stop.abort(new Error('over'))
  await soon(() => ended.length > 0)
  expect(ended).toMatchObject([{ message: 'over' }])
  expect(sockets[0]!.readyState).toBe(3)
  const late = new AbortController()
  class AbortedSocket extends appSockets().WebSocket {
    constructor(url: string) {
      super(url)
      late.abort(new Error('while it opened'))
    }
  }
  const opening = clientOf(user, { WebSocket: AbortedSocket, credential: user.token, sleep: manualTime().sleep })
  await expect(opening.client.listen({ signal: late.signal }).next()).rejects.toThrow('while it opened')
  const own = appSockets()
  const { client } = clientOf(user, { WebSocket: own.WebSocket, credential: user.token, sleep: manualTime().sleep })
  for await (const event of client.listen()) if (event.event === 'connected') break
  expect(own.sockets[0]!.readyState).toBe(3)
})

test('a socket that reports an error is replaced, and the error ends nothing else', async () => {
  const { sockets, events, time } = await listener()
  sockets[0]!.fail()
  await soon(() => names(events).at(-1) === 'disconnected' && time.pending().includes(2_000))
  await time.advance(2_000)
  await soon(() => sockets.length === 2 && names(events).at(-1) === 'connected')
})

test('after another account has logged in, the loop ends and its position is not sent for that account', async () => {
  const { app, sockets, ended, time } = await listener()
  const other = await registeredUser()
  await app.client.logIn({ identifier: other.handle, password: PASSWORD })
  await time.advance(250)
  await soon(() => ended.length > 0)
  expect(ended).toMatchObject([{ code: 'session_ended' }])
  expect([sockets.length, sockets[0]!.readyState]).toEqual([1, 3])
})

test('connections that end soon after they opened are replaced ever more slowly, without a refresh', async () => {
  const { sockets, events, time, app } = await listener()
  const waits: number[] = []
  for (let round = 0; round < 4; round++) {
    if (round === 3) await time.advance(30_000)
    sockets[round]!.drop()
    await soon(() => names(events).at(-1) === 'disconnected' && time.pending().length > 0)
    const wait = Math.max(...time.pending())
    waits.push(wait)
    await time.advance(wait)
    await soon(() => sockets.length === round + 2 && names(events).at(-1) === 'connected')
  }
  expect(waits).toEqual([2_000, 4_000, 8_000, 2_000])
  expect(requestsTo(app, '/v1/auth/refresh').length).toBe(1)
})

test('a proxy that refuses tickets does not end the loop', async () => {
  const { sockets, events, ended, time, app } = await listener()
  app.answer(async () => new Response('<h1>Blocked</h1>', { status: 403 }))
  sockets[0]!.drop()
  await soon(() => time.pending().includes(2_000))
  await time.advance(2_000)
  await soon(() => time.pending().includes(4_000))
  app.answer((_, forward) => forward())
  await time.advance(4_000)
  await soon(() => sockets.length === 2 && names(events).at(-1) === 'connected')
  expect(ended).toEqual([])
})

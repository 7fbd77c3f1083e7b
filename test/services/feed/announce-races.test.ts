import { evictDurableObject } from 'cloudflare:test'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { indexAndAnnounce } from '../../../src/services/feed/announce.ts'
import { homeFeed } from '../../../src/services/feed/feeds.ts'
import { accountsOn } from '../../support/actors.ts'
import { hubOf } from '../../support/hubs.ts'
import { manualQueues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { openSocket, type Socket } from '../../support/sockets.ts'
import { asUser, idsOf, wholePage } from '../../support/viewers.ts'

const Act = fc.constantFrom('post', 'post', 'post', 'reconnect', 'reconnect', 'follow', 'unfollow', 'block', 'evict')
const Plan = fc.array(fc.record({ act: Act, pause: fc.nat({ max: 6 }), again: fc.boolean() }), {
  minLength: 8,
  maxLength: 16,
})
type Step = { act: string; pause: number; again: boolean }

/** A post. Its reader has to get its frame (`must`) or may not get it (`mustNot`). Both hold until it is announced. */
type Post = { id: Id; must: boolean; mustNot: boolean }

/** Ada writes, and Bob follows, unfollows and reconnects, while posts are announced late, at once and repeatedly. */
async function race(plan: Step[]): Promise<void> {
  const [ada, bob] = await accountsOn(0, 1)
  const queues = manualQueues()
  const own = { following: false, changing: 0, blocked: false }
  let changes = 0
  const posts: Post[] = []
  const known = new Set<Id>()
  const told: Id[] = []
  let socket: Socket | null = null
  let since: number | null = null
  const running: Promise<unknown>[] = []

  async function read(from: Socket): Promise<void> {
    for (const { seq, data } of await from.takeFrames()) {
      expect(since === null || seq > since, 'the numbers of frames must rise').toBe(true)
      since = seq
      const { postId } = data as { postId: Id }
      told.push(postId)
      known.add(postId)
    }
  }

  async function reconnect(): Promise<void> {
    if (socket) await read(socket)
    socket?.close()
    const next = await openSocket(bob!, since)
    socket = next
    const { seq, resumed } = await next.hello
    expect(since === null || !resumed || seq === since).toBe(true)
    since = seq
    if (resumed) return
    for (const id of idsOf(await homeFeed(asUser(bob!), wholePage))) known.add(id)
  }

  async function change(act: 'follow' | 'unfollow' | 'block'): Promise<void> {
    own.changing += 1
    changes += 1
    if (act === 'block') await blockAccount(asUser(ada!), { accountId: bob! })
    else await (act === 'follow' ? followAccount : unfollowAccount)(asUser(bob!), { accountId: ada! }).catch(() => {})
    if (act === 'block') own.blocked = true
    own.following = act === 'follow' && !own.blocked
    own.changing -= 1
    changes += 1
  }

  async function post(again: boolean): Promise<void> {
    const before = { ...own, changes }
    const id = await publishedId(ada!)
    const announce = () => indexAndAnnounce(queues.context(), [{ postId: id, authorId: ada!, rootId: null }])
    await Promise.all([announce(), again ? announce() : null])
    const isQuiet = before.changing === 0 && before.changes === changes
    posts.push({ id, must: isQuiet && before.following, mustNot: before.blocked })
  }

  await reconnect()
  let changing: Promise<void> = Promise.resolve()
  let connecting: Promise<void> = Promise.resolve()
  for (const { act, pause, again } of plan) {
    if (act === 'post') running.push(post(again))
    else if (act === 'reconnect') connecting = connecting.then(reconnect)
    else if (act === 'evict') await evictDurableObject(hubOf(bob!)).catch(() => {})
    else changing = changing.then(() => change(act as 'follow'))
    for (let turn = 0; turn < pause; turn++) await scheduler.wait(0)
  }
  await Promise.all([...running, changing, connecting])
  await reconnect()
  await read(socket!)
  const missed = posts.filter(({ id, must }) => must && !known.has(id))
  const leaked = posts.filter(({ id, mustNot }) => mustNot && told.includes(id))
  expect({ missed, leaked, repeated: told.length - new Set(told).size }).toEqual({
    missed: [],
    leaked: [],
    repeated: 0,
  })
  socket!.close()
}

test('in random races of posts, follows, blocks, connections and evictions, nobody misses the frame of a post or gets a wrong one', async () => {
  await fc.assert(fc.asyncProperty(Plan, race), { numRuns: 25, endOnFailure: true })
}, 90_000)

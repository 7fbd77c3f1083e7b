import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { asViewer, type Ctx, createContext, type UserCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { limits } from '../../../src/platform/security/rate-limit.ts'
import { editProfile, getAccount, getAccountByHandle } from '../../../src/services/accounts/accounts.ts'
import { blockAccount, mirrorBlock, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import {
  followAccount,
  listFollowers,
  listFollowing,
  mirrorFollow,
  unfollowAccount,
} from '../../../src/services/accounts/follows.ts'
import { openAccount } from '../../../src/services/accounts/statements.ts'
import { enforceSuspension, liftSuspension, suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { accountFeed, homeFeed, publicFeed } from '../../../src/services/feed/feeds.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { getPost } from '../../../src/services/posts/posts.ts'
import { heldBack } from '../../support/held.ts'
import { lagging, withLaggingReplicas } from '../../support/lagging.ts'
import { pausing } from '../../support/pausing.ts'
import { insertRows, seedPeople, seedPosts } from '../../support/rows.ts'
import { openSocket } from '../../support/sockets.ts'
import { count, moderating, shards } from '../../support/town.ts'

const held = heldBack()
const as = (id: Id): UserCtx => asViewer(held.context(), id)
const nobody = (): Ctx => ({ ...held.context(), viewer: null })
const page = { limit: 50 }

// Ada and Cyd live on one shard, Bob on the other.
let ada: Id
let bob: Id
let cyd: Id
let handles: string[]
beforeEach(async () => {
  await held.deliver()
  const people = await seedPeople(`p${crypto.randomUUID().slice(0, 8)}_`, 3, (i) => i % 2)
  ;[ada, bob, cyd] = people.map(({ id }) => id) as [Id, Id, Id]
  handles = people.map(({ handle }) => handle)
})

const idsOf = ({ items }: { items: readonly { id: Id }[] }) => items.map(({ id }) => id)
const rows = (table: string, ...pairs: [string, Id][]) =>
  count(
    `SELECT count(*) n FROM ${table} WHERE ${pairs.map(([column, id]) => `${column} = ${Number(id)}`).join(' AND ')}`,
  )
const isFollowing = (a: Id, b: Id) => rows('follows', ['follower_id', a], ['followee_id', b])
const hasFollower = (a: Id, b: Id) => rows('followers', ['account_id', a], ['follower_id', b])
const events = () => count('SELECT count(*) n FROM outbox')
async function countsOf(id: Id): Promise<number[]> {
  const { followerCount, followingCount } = await getAccount(nobody(), { accountId: id })
  return [followerCount, followingCount]
}
const code = (code: string) => expect.objectContaining({ code })

test('an edited profile shows the change and keeps the rest; nobody else’s profile changes', async () => {
  await editProfile(as(ada), { bio: 'Mathematician' })
  expect(await editProfile(as(ada), { displayName: 'Ada' })).toMatchObject({ displayName: 'Ada', bio: 'Mathematician' })
  expect(await editProfile(as(ada), {})).toMatchObject({ displayName: 'Ada', relation: null })
  expect(await getAccount(as(bob), { accountId: cyd })).toMatchObject({ displayName: handles[2], bio: '' })
})

test('names and words about oneself are kept in one form, and a name on one line', async () => {
  const change = { displayName: ' A\u0000d\u202ea\n ', bio: 'e\u0301\u0007\nand \ud800' }
  expect(await editProfile(as(ada), change)).toMatchObject({ displayName: 'Ada', bio: 'é\nand \ufffd' })
  const long = [{ displayName: '👩‍🚀'.repeat(51) }, { bio: 'é'.repeat(501) }]
  for (const wrong of [
    { displayName: '\u202e' },
    { displayName: '\u200b\u2060' },
    ...long,
    { bio: `a${'\u0301'.repeat(31)}` },
  ]) {
    await expect(editProfile(as(ada), wrong)).rejects.toEqual(code('invalid'))
  }
  expect(await getAccount(as(ada), { accountId: ada })).toMatchObject({ displayName: 'Ada' })
  const displayName = '👩‍🚀'.repeat(50)
  expect(await editProfile(as(ada), { displayName })).toMatchObject({ displayName })
})

test('an account is found by its handle in any case, from the directory and from the cache', async () => {
  for (const handle of [handles[0]!, handles[0]!.toUpperCase()]) {
    expect((await getAccountByHandle(as(bob), { handle })).id).toBe(ada)
    await held.afterwards({ run: true })
  }
  await expect(getAccountByHandle(as(bob), { handle: 'nobody_at_all' })).rejects.toEqual(code('not_found'))
  await suspendAccount(moderating(as(cyd)), { accountId: ada })
  await expect(getAccountByHandle(as(bob), { handle: handles[0]! })).rejects.toEqual(code('not_found'))
})

test('opening an account twice changes nothing', async () => {
  const { db } = held.context()
  await db.shardOf(ada).batch([...openAccount(db.shardOf(ada), { id: ada, handle: 'another' })])
  expect((await getAccount(as(ada), { accountId: ada })).handle).toBe(handles[0])
})

test('a follow is written on both sides and counted; following again changes nothing', async () => {
  expect((await followAccount(as(bob), { accountId: ada })).relation).toEqual({
    following: true,
    followedBy: false,
    blocking: false,
  })
  await held.deliver()
  expect([await isFollowing(bob, ada), await hasFollower(ada, bob)]).toEqual([1, 1])
  await followAccount(as(bob), { accountId: ada })
  expect(await events()).toBe(0)
  await held.deliver()
  expect([await countsOf(ada), await countsOf(bob)]).toEqual([
    [1, 0],
    [0, 1],
  ])
  expect((await getAccount(as(ada), { accountId: bob })).relation).toMatchObject({ following: false, followedBy: true })

  await unfollowAccount(as(bob), { accountId: ada })
  await unfollowAccount(as(bob), { accountId: ada })
  await held.deliver()
  expect([await isFollowing(bob, ada), await hasFollower(ada, bob)]).toEqual([0, 0])
  expect([await countsOf(ada), await countsOf(bob)]).toEqual([
    [0, 0],
    [0, 0],
  ])
})

test('concurrent follows by one account count once', async () => {
  await Promise.all(Array.from({ length: 10 }, () => followAccount(as(bob), { accountId: ada })))
  expect(await events()).toBe(1)
  await held.deliver({ times: 3 })
  expect([await countsOf(ada), await countsOf(bob)]).toEqual([
    [1, 0],
    [0, 1],
  ])
})

test('nobody follows themselves or whom they cannot see; whom one blocks one cannot follow', async () => {
  const absent = String(Number(ada) - 32_768 * 1_000) as Id
  await blockAccount(as(ada), { accountId: bob })
  await expect(followAccount(as(cyd), { accountId: cyd })).rejects.toEqual(code('invalid'))
  await expect(followAccount(as(cyd), { accountId: absent })).rejects.toEqual(code('not_found'))
  await expect(followAccount(as(bob), { accountId: ada })).rejects.toEqual(code('not_found'))
  await held.deliver()
  await expect(followAccount(as(ada), { accountId: bob })).rejects.toEqual(code('conflict'))
  expect(await events()).toBe(0)
})

test('a block ends the follows of both at once where it is enforced, and soon on the other side', async () => {
  await followAccount(as(bob), { accountId: ada })
  await followAccount(as(ada), { accountId: bob })
  await held.deliver()
  await blockAccount(as(ada), { accountId: bob })
  expect([await hasFollower(ada, bob), await isFollowing(ada, bob)]).toEqual([0, 0])
  expect(await countsOf(ada)).toEqual([0, 0])
  await blockAccount(as(ada), { accountId: bob })
  expect(await events()).toBe(1)
  await held.deliver({ times: 3 })
  expect([await hasFollower(bob, ada), await isFollowing(bob, ada), await countsOf(bob)]).toEqual([0, 0, [0, 0]])

  await unblockAccount(as(ada), { accountId: bob })
  await held.deliver()
  expect((await getAccount(as(bob), { accountId: ada })).relation).toEqual({
    following: false,
    followedBy: false,
    blocking: false,
  })
  expect(await rows('blocks', ['account_id', ada], ['other_id', bob])).toBe(0)
  expect(await rows('blocks', ['account_id', bob], ['other_id', ada])).toBe(0)
})

test('a follow that arrives after a block leaves no follower', async () => {
  await followAccount(as(bob), { accountId: ada })
  await held.afterwards({ run: false })
  const late = held.sent.splice(0)
  await blockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  held.sent.unshift(...late)
  const [follow, block] = held.sent.splice(0)
  for (const message of [follow, block, follow]) {
    held.sent.push(message!)
    await held.deliver()
    expect(await hasFollower(ada, bob)).toBe(0)
  }
  expect([await isFollowing(bob, ada), await countsOf(ada), await countsOf(bob)]).toEqual([0, [0, 0], [0, 0]])
})

test.each([
  ['a dying isolate did not carry to the other side, the event does', false],
  ['a request carries to the other side needs no event', true],
])('what %s', async (_, run) => {
  const seen: number[][] = []
  for (const [who, act, whom] of [
    [bob, followAccount, ada],
    [bob, unfollowAccount, ada],
    [ada, blockAccount, bob],
    [ada, unblockAccount, bob],
  ] as const) {
    await act(as(who), { accountId: whom })
    await held.afterwards({ run })
    if (!run) await held.deliver()
    seen.push([await hasFollower(ada, bob), await rows('blocks', ['account_id', bob], ['other_id', ada])])
  }
  expect(seen).toEqual([
    [1, 0],
    [0, 0],
    [0, 1],
    [0, 0],
  ])
})

test('what is carried to the other side is the truth, though replicas have not heard of it', async () => {
  const request = createContext({ env: withLaggingReplicas(held.env), waitUntil: () => {} })
  await followAccount(as(bob), { accountId: ada })
  await held.afterwards({ run: false })
  await mirrorFollow(request, { followerId: bob, followeeId: ada })
  expect(await hasFollower(ada, bob)).toBe(1)
  await blockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  await mirrorBlock(request, { accountId: ada, otherId: bob })
  expect([await rows('blocks', ['account_id', bob], ['other_id', ada]), await isFollowing(bob, ada)]).toEqual([1, 0])

  await shards[0]!.prepare('UPDATE accounts SET suspended_at = 1 WHERE id = ?').bind(Number(cyd)).run()
  await enforceSuspension(request, { accountId: cyd })
  const { standing } = await held.env.LIMITER.getByName(`user:${cyd}`).lease(limits.user, 0)
  expect(standing.suspended).toBe(true)
})

test('a follow that a block ended stays ended, though the block is taken back before the other side hears of it', async () => {
  await followAccount(as(bob), { accountId: ada })
  await held.deliver()
  await blockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  await unblockAccount(as(ada), { accountId: bob })
  await held.deliver()
  expect([await isFollowing(bob, ada), await hasFollower(ada, bob)]).toEqual([0, 0])
  expect([await countsOf(ada), await countsOf(bob)]).toEqual([
    [0, 0],
    [0, 0],
  ])
})

const deeds = { follow: followAccount, unfollow: unfollowAccount, block: blockAccount, unblock: unblockAccount }
type Deed = keyof typeof deeds
type Step = [deed: Deed, isReverse: boolean, survives: boolean, arrives: boolean]

/** A block that is taken back before the other side has heard of it. */
const unheard: Step[] = [
  ['follow', false, false, true],
  ['block', false, false, false],
  ['unblock', false, false, false],
]

test('whatever the order of events, and however often they come, the copies end as the truth', async () => {
  const steps = fc.tuple(fc.constantFrom(...(Object.keys(deeds) as Deed[])), fc.boolean(), fc.boolean(), fc.boolean())
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 4, maxLength: 10, size: 'max' }), async (steps) => {
      const [a, b] = (await seedPeople(`q${crypto.randomUUID().slice(0, 8)}_`, 2, (i) => i)).map(({ id }) => id) as [
        Id,
        Id,
      ]
      for (const [deed, isReverse, survives, arrives] of steps) {
        const [who, whom] = isReverse ? [b, a] : [a, b]
        await deeds[deed](as(who), { accountId: whom }).catch(() => {})
        await held.afterwards({ run: survives })
        if (arrives) await held.deliver()
      }
      await held.deliver({ times: 2 })
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const follows = await isFollowing(one, other)
        expect(await hasFollower(other, one)).toBe(follows)
        const blocks = `SELECT count(*) n FROM blocks WHERE account_id = ${Number(one)} AND other_id = ${Number(other)}`
        const mirrored = `SELECT count(*) n FROM blocks WHERE account_id = ${Number(other)} AND other_id = ${Number(one)}`
        expect(await count(`${mirrored} AND by_me = 0`)).toBe(await count(`${blocks} AND by_me = 1`))
        if ((await count(`${blocks} AND by_me = 1`)) > 0) expect(follows + (await isFollowing(other, one))).toBe(0)
        expect(await count(`SELECT coalesce(sum(following_count), 0) n FROM accounts WHERE id = ${Number(one)}`)).toBe(
          follows,
        )
        expect(await count(`SELECT coalesce(sum(follower_count), 0) n FROM accounts WHERE id = ${Number(other)}`)).toBe(
          follows,
        )
      }
    }),
    { numRuns: 30, unbiased: true, examples: [[unheard]] },
  )
})

test('lists of people are newest first, without those whom the reader cannot know of', async () => {
  for (const who of [bob, cyd]) await followAccount(as(who), { accountId: ada })
  for (const whom of [bob, cyd]) await followAccount(as(ada), { accountId: whom })
  await held.deliver()
  const newest = [bob, cyd].sort((a, b) => Number(b) - Number(a))
  expect(idsOf(await listFollowers(nobody(), { accountId: ada, ...page }))).toEqual(newest)
  expect(idsOf(await listFollowing(nobody(), { accountId: ada, ...page }))).toEqual(newest)
  await blockAccount(as(cyd), { accountId: bob })
  expect(idsOf(await listFollowers(as(bob), { accountId: ada, ...page }))).toEqual([bob])
  expect(idsOf(await listFollowing(as(bob), { accountId: ada, ...page }))).toEqual([bob])
  for (const list of [listFollowers, listFollowing]) {
    await expect(list(as(bob), { accountId: cyd, ...page })).rejects.toEqual(code('not_found'))
  }
})

test('a suspended account and all of its posts vanish at once, and come back as they were', async () => {
  const [post] = (await seedPosts([ada])) as [Id]
  await followAccount(as(bob), { accountId: ada })
  await held.deliver()
  const everywhere = async () => [
    idsOf(await homeFeed(as(bob), page)).includes(post),
    idsOf(await publicFeed(nobody(), page)).includes(post),
    idsOf(await listFollowing(as(cyd), { accountId: bob, ...page })).includes(ada),
    await getPost(as(bob), { postId: post }).then(
      () => true,
      () => false,
    ),
    await likePost(as(bob), { postId: post }).then(
      () => true,
      () => false,
    ),
    await getAccount(as(bob), { accountId: ada }).then(
      () => true,
      () => false,
    ),
    await accountFeed(nobody(), { accountId: ada, ...page }).then(
      () => true,
      () => false,
    ),
  ]
  expect(await everywhere()).toEqual(Array(7).fill(true))
  await held.deliver()
  await suspendAccount(moderating(as(cyd)), { accountId: ada })
  expect(await everywhere()).toEqual(Array(7).fill(false))
  await suspendAccount(moderating(as(cyd)), { accountId: ada })
  expect(await events()).toBe(1)
  await liftSuspension(moderating(as(cyd)), { accountId: ada })
  expect(await everywhere()).toEqual(Array(7).fill(true))
  await liftSuspension(moderating(as(cyd)), { accountId: ada })
  expect(await events()).toBe(2)
})

test('nobody suspends who has the same role or a higher one, nor lifts their suspension', async () => {
  const users = [bob, cyd].map((id) => ({
    id: Number(id),
    email: id,
    created_at: 1,
    updated_at: 1,
    sealed_address: '',
  }))
  await insertRows(env.DIRECTORY, 'users', users)
  const behind = { ...held.env, DIRECTORY: lagging(env.DIRECTORY, env.INDEX) }
  const unaware = asViewer(createContext({ env: behind, waitUntil: () => {} }), ada)
  for (const [who, role] of [
    [bob, 'moderator'],
    [cyd, 'admin'],
  ] as const) {
    await env.DIRECTORY.prepare('update users set role = ? where id = ?').bind(role, Number(who)).run()
    for (const act of [suspendAccount, liftSuspension]) {
      for (const by of [as(ada), unaware]) {
        await expect(act(moderating(by), { accountId: who })).rejects.toEqual(code('forbidden'))
      }
    }
  }
  expect(await events()).toBe(0)
})

test('a suspension holds at once though no event arrives, and so does its lifting', async () => {
  const limiter = held.env.LIMITER.getByName(`user:${ada}`)
  const isKnown = async () => (await limiter.lease(limits.user, 0)).standing.suspended
  const socket = await openSocket(ada)
  await suspendAccount(moderating(as(cyd)), { accountId: ada })
  expect(await isKnown()).toBe(true)
  await socket.takeFrames()
  expect(socket.isClosed()).toBe(true)
  await liftSuspension(moderating(as(cyd)), { accountId: ada })
  expect(await isKnown()).toBe(false)
})

test('a limiter that did not hear of a suspension is told of it by the event', async () => {
  const limiter = held.env.LIMITER.getByName(`user:${ada}`)
  const isKnown = async () => (await limiter.lease(limits.user, 0)).standing.suspended
  const setSuspended = () => Promise.reject(new Error('down'))
  const deaf = { ...as(cyd), env: { ...held.env, LIMITER: { getByName: () => ({ setSuspended }) } } as never }
  for (const [act, truth] of [
    [suspendAccount, true],
    [liftSuspension, false],
  ] as const) {
    await expect(act(moderating(deaf), { accountId: ada })).rejects.toThrow('down')
    expect(await isKnown()).toBe(!truth)
    await held.deliver()
    expect(await isKnown()).toBe(truth)
  }
})

test('a follow that a block of a moment ago keeps out says so', async () => {
  await blockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  await expect(followAccount(as(ada), { accountId: bob })).rejects.toEqual(code('conflict'))
  expect(await isFollowing(ada, bob)).toBe(0)
  await held.deliver()
})

test('nobody follows more than 5,000', async () => {
  const counted = 'update accounts set following_count = ? where id = ?'
  await shards[0]!.prepare(counted).bind(5_000, Number(ada)).run()
  await expect(followAccount(as(ada), { accountId: bob })).rejects.toEqual(code('conflict'))
  await shards[0]!.prepare(counted).bind(4_999, Number(ada)).run()
  expect(await followAccount(as(ada), { accountId: bob })).toMatchObject({ relation: { following: true } })
  expect(await followAccount(as(ada), { accountId: bob })).toMatchObject({ relation: { following: true } })
  await expect(followAccount(as(ada), { accountId: cyd })).rejects.toEqual(code('conflict'))
})

test('a block that is mirrored late ends no follow that came after it without both sides agreeing', async () => {
  await blockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  const late = held.sent.splice(0)
  const paused = pausing(held.context())
  const mirrored = mirrorBlock(paused.ctx, { accountId: ada, otherId: bob })
  await paused.reached
  await unblockAccount(as(ada), { accountId: bob })
  held.sent.push(...late)
  await held.deliver()
  await followAccount(as(bob), { accountId: ada })
  await followAccount(as(ada), { accountId: bob })
  await held.deliver()
  paused.goOn()
  await mirrored
  expect(await hasFollower(ada, bob)).toBe(await isFollowing(bob, ada))
  expect([await isFollowing(ada, bob), await hasFollower(bob, ada)]).toEqual([1, 1])
  expect([(await countsOf(ada))[0], (await countsOf(bob))[1]]).toEqual(Array(2).fill(await isFollowing(bob, ada)))
})

test('nobody suspends themselves or who is not there', async () => {
  await expect(suspendAccount(moderating(as(ada)), { accountId: ada })).rejects.toEqual(code('invalid'))
  const absent = String(Number(ada) - 32_768 * 1_000) as Id
  for (const act of [suspendAccount, liftSuspension]) {
    await expect(act(moderating(as(ada)), { accountId: absent })).rejects.toEqual(code('not_found'))
  }
  expect(await events()).toBe(0)
})

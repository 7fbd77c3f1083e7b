import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { asViewer } from '../../../src/platform/context.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { userLimit } from '../../../src/platform/security/rate-limit.ts'
import { getAccount } from '../../../src/services/accounts/accounts.ts'
import { followAccount, listFollowing } from '../../../src/services/accounts/follows.ts'
import { enforceSuspension, liftSuspension, suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { accountFeed, homeFeed, publicFeed } from '../../../src/services/feed/feeds.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { getPost } from '../../../src/services/posts/posts.ts'
import { markSuspended } from '../../support/actors.ts'
import { directoryNumber } from '../../support/auth.ts'
import { insertRows, unusedId } from '../../support/databases.ts'
import { insertUser } from '../../support/logins.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { laggingDatabase, withLaggingReplicas } from '../../support/replica-lag.ts'
import { seedPosts } from '../../support/seed.ts'
import { openSocket } from '../../support/sockets.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import {
  asAnonymous,
  asModerator,
  asUser,
  failure,
  idsOf,
  wholePage,
  withModeratorRole,
} from '../../support/viewers.ts'

/** Whether the AccessGuard of Ada reports her as suspended. */
async function isEnforced(): Promise<boolean> {
  const { status } = await queues.env.GUARD.getByName(`user:${ada}`).lease(userLimit, 0)
  return status.suspended
}

/** For each of six reads and a like: whether the call reaches Ada or her post. */
async function visibleOn(postId: Id): Promise<boolean[]> {
  const succeeds = (call: Promise<unknown>) =>
    call.then(
      () => true,
      () => false,
    )
  return [
    idsOf(await homeFeed(asUser(bob), wholePage)).includes(postId),
    idsOf(await publicFeed(asAnonymous(), wholePage)).includes(postId),
    idsOf(await listFollowing(asUser(cyd), { accountId: bob, ...wholePage })).includes(ada),
    await succeeds(getPost(asUser(bob), { postId })),
    await succeeds(likePost(asUser(bob), { postId })),
    await succeeds(getAccount(asUser(bob), { accountId: ada })),
    await succeeds(accountFeed(asAnonymous(), { accountId: ada, ...wholePage })),
  ]
}

test('a suspension hides the account and its posts at once in feeds, lists and reads until it is lifted', async () => {
  const [postId] = (await seedPosts([ada])) as [Id]
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  expect(await visibleOn(postId)).toEqual(Array(7).fill(true))
  await queues.deliver()
  for (const events of [2, 2]) {
    await suspendAccount(asModerator(cyd), { accountId: ada })
    expect(await visibleOn(postId)).toEqual(Array(7).fill(false))
    expect(await pendingEvents()).toBe(events)
  }
  for (const events of [4, 4]) {
    await liftSuspension(asModerator(cyd), { accountId: ada })
    expect(await visibleOn(postId)).toEqual(Array(7).fill(true))
    expect(await pendingEvents()).toBe(events)
  }
})

test('a moderator cannot suspend moderators or admins, nor lift their suspensions', async () => {
  const users = [bob, cyd].map((id) => ({
    id: Number(id),
    email: id,
    created_at: 1,
    updated_at: 1,
    sealed_address: '',
  }))
  await insertRows(env.DIRECTORY, 'users', users)
  const staleEnv = { ...queues.env, DIRECTORY: laggingDatabase(env.DIRECTORY, env.INDEX) }
  const stale = asViewer(createContext({ env: staleEnv, waitUntil: () => {} }), ada)
  for (const [accountId, role] of [
    [bob, 'moderator'],
    [cyd, 'admin'],
  ] as const) {
    await env.DIRECTORY.prepare('update users set role = ? where id = ?').bind(role, Number(accountId)).run()
    for (const act of [suspendAccount, liftSuspension]) {
      for (const ctx of [asUser(ada), stale]) {
        await expect(act(withModeratorRole(ctx), { accountId })).rejects.toEqual(failure('forbidden'))
      }
    }
  }
  expect(await pendingEvents()).toBe(0)
})

test('moderators cannot suspend themselves or a missing account', async () => {
  await expect(suspendAccount(asModerator(ada), { accountId: ada })).rejects.toEqual(failure('invalid'))
  const absent = String(Number(ada) - 32_768 * 1_000) as Id
  for (const act of [suspendAccount, liftSuspension]) {
    await expect(act(asModerator(ada), { accountId: absent })).rejects.toEqual(failure('not_found'))
  }
  expect(await pendingEvents()).toBe(0)
})

test('the directory has a copy of a suspension before any event, and of none that was answered with 404', async () => {
  const missing = unusedId(0)
  const marked = (id: Id) => directoryNumber('select suspended n from users where id = ?', Number(id))
  for (const id of [ada, missing]) await env.DIRECTORY.batch([await insertUser(id)])
  await expect(suspendAccount(asModerator(bob), { accountId: missing })).rejects.toEqual(failure('not_found'))
  expect(await marked(missing)).toBe(0)
  await suspendAccount(asModerator(bob), { accountId: ada })
  expect(await marked(ada)).toBe(1)
  await liftSuspension(asModerator(bob), { accountId: ada })
  expect(await marked(ada)).toBe(0)
})

test('suspending and lifting update the AccessGuard before any event, and suspending closes the sockets', async () => {
  const socket = await openSocket(ada)
  await suspendAccount(asModerator(cyd), { accountId: ada })
  expect(await isEnforced()).toBe(true)
  await socket.takeFrames()
  expect(socket.isClosed()).toBe(true)
  await liftSuspension(asModerator(cyd), { accountId: ada })
  expect(await isEnforced()).toBe(false)
})

test('the event enforces or lifts a suspension when the direct call to the AccessGuard failed', async () => {
  const setSuspended = () => Promise.reject(new Error('down'))
  const unreachable = { ...queues.env, GUARD: { getByName: () => ({ setSuspended }) } } as never
  for (const [act, suspended] of [
    [suspendAccount, true],
    [liftSuspension, false],
  ] as const) {
    await expect(act({ ...asModerator(cyd), env: unreachable }, { accountId: ada })).rejects.toEqual(
      failure('unavailable'),
    )
    expect(await isEnforced()).toBe(!suspended)
    await queues.deliver()
    expect(await isEnforced()).toBe(suspended)
  }
})

test('a suspension reaches the AccessGuard while D1 replicas lag', async () => {
  await markSuspended(ada)
  const ctx = createContext({ env: withLaggingReplicas(queues.env), waitUntil: () => {} })
  await enforceSuspension(ctx, { accountId: ada })
  expect(await isEnforced()).toBe(true)
})

import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { forgetStatus } from '../../../src/platform/security/account-status.ts'
import { setSuspended } from '../../../src/platform/security/revocation.ts'
import { RpcFailure, unwrap } from '../../../src/rpc.ts'
import { deleteAccount } from '../../../src/services/privacy/deletion.ts'
import { markSuspended, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { countRows, unusedId } from '../../support/databases.ts'
import { jpeg } from '../../support/images.ts'
import { contextWith } from '../../support/platform.ts'
import { publishedId } from '../../support/posting.ts'
import { bindings, boundWith, codeOf } from '../../support/rpc.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asUser } from '../../support/viewers.ts'

const { USERS, POSTS, NOTIFICATIONS } = bindings()
const system = bindings({ actsAs: 'system' })
const as = (id: Id) => ({ as: id })
const down = () => Promise.reject(new Error('down'))

let user: RegisteredUser
beforeEach(async () => {
  user ??= await registeredUser()
})
afterEach(() => void vi.restoreAllMocks())

test('a call as an account does and returns the same as its REST request', async () => {
  const post = unwrap(await POSTS.createPost({ text: 'Hello #edge' }, as(user.id)))
  expect(await (await user.fetch(`/v1/posts/${post.id}`)).json()).toEqual(post)
  unwrap(await POSTS.likePost({ postId: post.id }, as(bob)))
  const read = unwrap(await POSTS.getPost({ postId: post.id }, as(bob)))
  expect(read).toMatchObject({ id: post.id, liked: true, likeCount: 1, author: { id: user.id } })
  const page = unwrap(await POSTS.listPosts({ author: user.id, limit: 1 }, as(bob)))
  expect(page.items).toEqual([read])
  expect(unwrap(await POSTS.listPosts({ ids: [post.id, unusedId(0)] })).items).toMatchObject([{ id: post.id }])
  expect(unwrap(await POSTS.unlikePost({ postId: post.id }, as(bob)))).toBeNull()
  const me = unwrap(await USERS.getMe({}, as(user.id)))
  expect(await (await user.fetch('/v1/accounts/me')).json()).toEqual(me)
  const list = unwrap(await NOTIFICATIONS.listNotifications({ limit: 5 }, as(user.id)))
  expect(await (await user.fetch('/v1/notifications?limit=5')).json()).toEqual(list)
})

test('without an account, the system reads what is public, and may do nothing else', async () => {
  const [open, hidden] = [await publishedId(ada), await publishedId(ada, { visibility: 'followers' })]
  for (const { POSTS, USERS } of [bindings(), system]) {
    expect(unwrap(await POSTS.getPost({ postId: open }))).toMatchObject({ id: open, liked: false })
    expect(await codeOf(POSTS.getPost({ postId: hidden }))).toBe('not_found')
    expect(await codeOf(POSTS.createPost({ text: 'x' }, {} as never))).toBe('unauthorized')
    expect(await codeOf(USERS.getMe({}, {} as never))).toBe('unauthorized')
  }
  expect(await codeOf(system.POSTS.createPost({ text: 'x' }, as(ada)))).toBe('forbidden')
  expect(await codeOf(system.POSTS.getPost({ postId: open }, as(ada)))).toBe('forbidden')
  expect(unwrap(await POSTS.getPost({ postId: hidden }, as(ada)))).toMatchObject({ id: hidden })
})

test('a binding may do what its scopes allow, whether an account or the system acts', async () => {
  const readOnly = bindings({ scopes: ['posts:read'] })
  const postId = await publishedId(ada)
  expect(await codeOf(readOnly.POSTS.getPost({ postId }, as(bob)))).toBeNull()
  expect(await codeOf(readOnly.POSTS.likePost({ postId }, as(bob)))).toBe('insufficient_scope')
  expect(await countRows('likes', { post_id: postId })).toBe(0)
  const none = bindings({ scopes: [] })
  expect(await codeOf(none.POSTS.getPost({ postId }))).toBe('insufficient_scope')
  expect(await codeOf(none.POSTS.getLimits({}))).toBeNull()
})

test.each([
  ['no props', undefined],
  ['empty props', {}],
  ['an unknown kind of caller', { caller: 'billing', actsAs: 'admins', scopes: [] }],
  ['a malformed name', { caller: 'Billing Team', actsAs: 'users', scopes: [] }],
  ['an unknown field', { caller: 'billing', actsAs: 'users', scopes: [], role: 'admin' }],
  ['a scope that does not exist', { caller: 'billing', actsAs: 'users', scopes: ['posts:raed'] }],
])('a binding with %s may call nothing', async (_, props) => {
  const result = await boundWith(props).POSTS.getLimits({})
  expect(result).toMatchObject({ ok: false, error: { code: 'forbidden', detail: expect.stringContaining('props') } })
})

test('an account that is suspended, deleted or never existed cannot act', async () => {
  await setSuspended(contextWith(), cyd, true)
  await markSuspended(bob)
  const act = (id: Id) => codeOf(POSTS.createPost({ text: 'x' }, as(id)))
  expect(await act(cyd)).toBe('suspended')
  expect(await act(bob)).toBe('suspended')
  await env.SHARD_0.prepare('UPDATE accounts SET deleted_at = 1 WHERE id = ?').bind(Number(ada)).run()
  expect([await act(ada), await act(unusedId(1)), await act(unusedId(63))]).toEqual(Array(3).fill('unauthorized'))
  for (const id of [ada, bob, cyd]) expect(await countRows('posts', { author_id: id })).toBe(0)
})

test('an account that calls have used can no longer act once it is deleted, but can after a logout everywhere', async () => {
  const leaver = await registeredUser()
  const act = () => codeOf(USERS.editProfile({ bio: 'x' }, as(leaver.id)))
  expect(await act()).toBeNull()
  expect((await leaver.fetch('/v1/auth/logout-all', { method: 'POST' })).status).toBe(204)
  expect(await act()).toBeNull()
  await deleteAccount(asUser(leaver.id))
  expect(await act()).toBe('unauthorized')
})

test('while neither feed nor access guard is available, the account is read from the databases', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  for (const objects of [env.GUARD, env.REVOCATIONS] as DurableObjectNamespace[])
    vi.spyOn(objects, 'getByName').mockReturnValue({ lease: down, changesSince: down } as never)
  for (const id of [ada, bob]) forgetStatus(contextWith(), id) // what the feed said within the last two seconds
  expect(await codeOf(USERS.editProfile({ bio: 'x' }, as(ada)))).toBeNull()
  await markSuspended(ada)
  expect(await codeOf(USERS.editProfile({ bio: 'x' }, as(ada)))).toBe('suspended')
  await env.SHARD_1.prepare('UPDATE accounts SET deleted_at = 1 WHERE id = ?').bind(Number(bob)).run()
  expect(await codeOf(USERS.editProfile({ bio: 'x' }, as(bob)))).toBe('unauthorized')
})

test('wrong input gets the failure of REST, with one entry per field', async () => {
  const { POSTS, USERS } = bindings()
  const errors = async (call: Promise<unknown>) => (await call) as object
  const invalid = (...fields: string[]) => ({
    ok: false,
    error: { code: 'invalid', status: 422, errors: fields.map((field) => ({ field, message: expect.any(String) })) },
  })
  const wrong = (input: unknown, call: unknown = as(ada)) => errors(POSTS.createPost(input as never, call as never))
  expect(await wrong({ text: 5, visibility: 'x', extra: 1 })).toMatchObject(invalid('text', 'visibility', 'extra'))
  expect(await wrong({ text: 'x', media: ['1', 'x'] })).toMatchObject(invalid('media.1', 'media.1'))
  for (const input of [[], 'x', 5, () => {}, new Map()]) expect(await wrong(input)).toMatchObject(invalid(''))
  expect(await wrong({})).toMatchObject(invalid('text'))
  expect(await wrong({ text: 'x' }, { as: 'x', extra: 1, bookmarks: 5 })).toMatchObject(
    invalid('as', 'as', 'bookmarks', 'extra'),
  )
  expect(await errors(POSTS.listPosts({ author: ada, limit: 51 }))).toMatchObject(invalid('limit'))
  expect(await errors(POSTS.listPosts({ author: ada, offset: 5 } as never))).toMatchObject(invalid('offset'))
  expect(await errors(POSTS.getLimits({ a: 1, b: 2 } as never))).toMatchObject(invalid('a', 'b'))
  expect(await codeOf(POSTS.getPost({ postId: 'x' }))).toBe('not_found')
  expect(await codeOf(USERS.editProfile({ bio: '\ud800' }, as(ada)))).toBe('bad_request')
  expect(await codeOf(USERS.editProfile({}, as(ada)))).toBe('invalid')
})

test('the size of an input is limited, whatever its form', async () => {
  const { POSTS } = bindings()
  const outcome = (input: object) => codeOf(POSTS.createPost(input as never, as(ada)))
  const circular: Record<string, unknown> = { text: 'x' }
  circular.self = circular
  expect(await outcome(circular)).toBe('invalid')
  let shared: unknown[] = ['x']
  for (let depth = 0; depth < 12; depth++) shared = Array(8).fill(shared)
  expect(await outcome({ text: 'x', media: shared })).toBe('invalid')
  expect(await outcome({ text: 'x', media: Array.from({ length: 10_000 }, (_, i) => `${i}`) })).toBe('too_large')
  expect(await outcome({ text: 'x'.repeat(300_000) })).toBe('too_large')
  expect(await outcome({ text: new Uint8Array(3_000_000) })).toBe('invalid')
})

test('a repeated key creates once, and a key with other input is refused', async () => {
  const call = { as: ada, idempotencyKey: 'order-7' }
  const first = await POSTS.createPost({ text: 'once' }, call)
  const again = await POSTS.createPost({ text: 'once' }, call)
  expect([first, again]).toMatchObject([
    { ok: true, replayed: false },
    { ok: true, replayed: true, value: unwrap(first) },
  ])
  expect(await countRows('posts', { author_id: ada })).toBe(1)
  expect(await codeOf(POSTS.createPost({ text: 'other' }, call))).toBe('idempotency_mismatch')
  expect(await codeOf(POSTS.createPost({ text: 'x' }, { as: ada, idempotencyKey: '' }))).toBe('invalid')
})

test('a write returns bookmarks that later calls and requests accept, and a read or a failure returns none', async () => {
  const written = await POSTS.createPost({ text: 'mine' }, as(user.id))
  const bookmarks = written.ok ? written.bookmarks! : ''
  expect(bookmarks).toMatch(/^\d=[\w-]+$/)
  const read = await POSTS.getPost({ postId: unwrap(written).id }, { as: user.id, bookmarks })
  expect(read).toMatchObject({ ok: true, bookmarks: null })
  const overHttp = await user.fetch(`/v1/posts/${unwrap(written).id}`, { headers: { 'x-bookmarks': bookmarks } })
  expect(overHttp.status).toBe(200)
  expect(await POSTS.deletePost({ postId: unusedId(0) }, as(ada))).not.toHaveProperty('bookmarks')
})

test('calls as an account count against the limit of that account, and calls of the system against that of the caller', async () => {
  const left = async () => Number(/r=(\d+)/.exec((await user.fetch('/v1/limits')).headers.get('ratelimit')!)![1])
  const before = await left()
  for (let i = 0; i < 3; i++) unwrap(await USERS.getMe({}, as(user.id)))
  expect(await left()).toBe(before - 4)
  const guard = env.GUARD.getByName('rpc:looping')
  while ((await guard.lease({ quota: 6_000, window: 60 }, 6_000)).granted > 0);
  const result = await bindings({ caller: 'looping' }).POSTS.getLimits({})
  expect(result).toMatchObject({
    ok: false,
    error: { code: 'rate_limited', status: 429, retryAfter: expect.any(Number) },
  })
  expect(await codeOf(bindings({ caller: 'patient' }).POSTS.getLimits({}))).toBeNull()
})

test('images are uploaded as Blobs', async () => {
  const image = unwrap(await POSTS.uploadMedia({ file: new Blob([jpeg()]), alt: 'A dusk' }, as(ada)))
  const post = unwrap(await POSTS.createPost({ media: [image.id] }, as(ada)))
  expect(post.media).toMatchObject([{ id: image.id, alt: 'A dusk' }])
  expect(await codeOf(POSTS.uploadMedia({ file: 'x' as never }, as(ada)))).toBe('invalid')
})

test('operations of the staff need a binding for staff and the role of the account', async () => {
  const [plain, staff] = [bindings({ scopes: ['moderation'] }), bindings({ scopes: ['moderation'], staff: true })]
  await env.DIRECTORY.prepare(
    `INSERT INTO users (id, email, email_verified, sealed_address, role, created_at, updated_at) VALUES (?, ?, 1, '', 'moderator', 0, 0)`,
  )
    .bind(Number(ada), ada)
    .run()
  expect(await codeOf(staff.USERS.listRegistrations({}, as(cyd)))).toBe('forbidden')
  expect(await codeOf(plain.USERS.listRegistrations({}, as(ada)))).toBe('forbidden')
  expect(await codeOf(staff.USERS.listRegistrations({}, as(ada)))).toBeNull()
})

test('each call writes one log line with the calling Worker, its request id and the outcome, and no content', async () => {
  const lines: Record<string, unknown>[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)))
  await POSTS.createPost({ text: 'secret words' }, { as: ada, requestId: 'job-42' })
  await POSTS.getPost({ postId: unusedId(0) }, { requestId: 'job-43' })
  const calls = lines.filter(({ message }) => message === 'call')
  expect(calls).toMatchObject([
    {
      requestId: 'job-42',
      service: 'posts',
      caller: 'billing',
      accountId: ada,
      route: 'createPost',
      status: 200,
      trips: 2,
    },
    { requestId: 'job-43', caller: 'billing', route: 'getPost', status: 404 },
  ])
  expect(JSON.stringify(lines)).not.toContain('secret words')
})

test('an unexpected error is logged, and the caller gets `internal` without its message', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const withSession = vi.spyOn(env.SHARD_0 as D1Database, 'withSession')
  withSession.mockImplementation(() => expect.fail('a secret'))
  const result = await POSTS.getPost({ postId: unusedId(0) })
  withSession.mockRestore()
  expect(result).toMatchObject({ ok: false, error: { code: 'internal', status: 500 } })
  expect(JSON.stringify(result)).not.toContain('secret')
  expect(lines.join()).toContain('a call failed')
})

test('`unwrap` returns the value, and throws the failure with its code and fields', async () => {
  const failure = await POSTS.createPost({ text: 5 as never }, as(ada))
  expect(() => unwrap(failure)).toThrow(RpcFailure)
  expect(() => unwrap(failure)).toThrow(
    expect.objectContaining({
      code: 'invalid',
      error: expect.objectContaining({ errors: [{ field: 'text', message: 'must be a string' }] }),
    }),
  )
})

import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../src/platform/data/ids.ts'
import { SHARED_SECONDS } from '../../src/platform/http/shared-answers.ts'
import { services } from '../../src/registry.ts'
import { suspendAccount } from '../../src/services/accounts/suspensions.ts'
import { deletePost } from '../../src/services/posts/posts.ts'
import { indexPosts } from '../../src/services/search/indexing.ts'
import { accountsOn } from '../support/actors.ts'
import { shardHolding } from '../support/databases.ts'
import { insertLogin } from '../support/logins.ts'
import { queues } from '../support/manual-queues.ts'
import { seedPosts } from '../support/seed.ts'
import { mint, trustTestKey } from '../support/tokens.ts'
import { asModerator, asUser } from '../support/viewers.ts'
import { type Answer, type Call, call, unlimited } from './calls.ts'
import { constantFor, kindOf } from './cases.ts'
import { queryFor } from './examples.ts'
import { type Operation, operations } from './operations.ts'

const shared = new Set(
  services.flatMap((service) => service.operations.flatMap(({ id, shared: seconds }) => (seconds ? [id] : []))),
)
const reads = operations.filter(
  ({ method, access, responses }) =>
    method === 'GET' && access === 'public' && responses[200]?.content?.['application/json'],
)
const bindings = { ...unlimited, SHARED_CACHE: 'on' }
const start = Date.now() + 60_000

let token: string
let author: { id: Id; handle: string }
let post: Id
let run = 0

beforeAll(async () => {
  await trustTestKey()
  const [reader] = await accountsOn(0)
  token = await mint(reader, { sessionId: await insertLogin(reader) })
})

// Each test has an author and a time of its own, so no answer of another test is kept.
beforeEach(async () => {
  run += 1
  const [id] = await accountsOn(run % 2)
  const { handle } = (await shardHolding(id)
    .prepare('select handle from accounts where id = ?')
    .bind(Number(id))
    .first<{ handle: string }>())!
  author = { id, handle }
  const [first] = await seedPosts([id])
  post = first!
  await indexPosts(queues.context(), [post])
  vi.useFakeTimers({ toFake: ['Date'], now: start + run * 60_000 })
})
afterEach(() => void vi.useRealTimers())

const later = (ms: number) => vi.setSystemTime(Date.now() + ms)
const get = (path: string, more: Partial<Call> = {}) => call({ method: 'GET', path, bindings, ...more })
const tripsOf = ({ headers }: Answer) => JSON.parse(headers.get('x-cost')!).trips
const policyOf = ({ headers }: Answer) => headers.get('cache-control')
/** Asks until `isReached`: answers are kept and forgotten after a response was sent. The clock stands still meanwhile. */
async function askUntil(path: string, isReached: (answer: Answer) => boolean): Promise<Answer> {
  for (let n = 0; n < 100; n++) {
    const answer = await get(path)
    if (isReached(answer)) return answer
  }
  throw new Error(`${path} does not change`)
}
const kept = (path: string) => askUntil(path, (answer) => tripsOf(answer) === 0)

async function pathOf({ id, path, parameters }: Operation): Promise<string> {
  const named: Record<string, string> = { account: author.id, handle: author.handle, post }
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    return constantFor(parameters, name) ?? named[kindOf({ id, path, parameters } as Operation) ?? ''] ?? '1'
  })
  return filled + (await queryFor(id))
}

test('the shared operations are those that people without an account read', () => {
  expect([...shared].sort()).toEqual([
    'getAccount',
    'getAccountByHandle',
    'getAccountFeed',
    'getPost',
    'getPublicFeed',
    'getTagFeed',
    'getTrendingLinks',
    'getTrendingPosts',
    'getTrendingTags',
  ])
  const described = reads.filter(({ responses }) => responses[200]?.headers.Age).map(({ id }) => id)
  expect(new Set(described)).toEqual(shared)
})

test('answers for everybody say so, and are given again without a trip; all others are read each time', async () => {
  const reused: string[] = []
  for (const operation of reads) {
    const { id } = operation
    const path = await pathOf(operation)
    const first = await get(path)
    if (first.status !== 200) continue
    expect({ id, shared: /s-maxage/.test(policyOf(first)!) }).toEqual({ id, shared: shared.has(id) })
    if (!shared.has(id)) continue
    const again = await kept(path)
    reused.push(id)
    const names = ['etag', 'link', 'content-type', 'cache-control', 'vary']
    const headersOf = ({ headers }: Answer) => names.map((name) => headers.get(name))
    expect({ id, body: again.body, headers: headersOf(again) }).toEqual({
      id,
      body: first.body,
      headers: headersOf(first),
    })
    expect(policyOf(again)).toBe(`public, max-age=${SHARED_SECONDS}, s-maxage=${SHARED_SECONDS}`)
    expect(again.headers.get('vary')).toBe('authorization, x-bookmarks, cookie')
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
  }
  expect(new Set(reused)).toEqual(shared)
})

test('an answer to credentials is never kept, and never one that was kept', async () => {
  for (const operation of reads.filter(({ id }) => shared.has(id))) {
    const { id } = operation
    later(SHARED_SECONDS * 1_000)
    const path = await pathOf(operation)
    const credentials: Partial<Call>[] = [
      { token },
      { headers: { cookie: 'a=b' } },
      { headers: { 'x-bookmarks': '0.x' } },
    ]
    for (const more of credentials) {
      const own = await get(path, more)
      expect({ id, status: own.status, policy: policyOf(own) }).toEqual({
        id,
        status: 200,
        policy: 'token' in more ? 'private, no-store' : 'no-cache',
      })
      expect(own.headers.has('age')).toBe(false)
    }
    const anonymous = await get(path)
    expect({ id, age: anonymous.headers.get('age') }).toEqual({ id, age: '0' })
    await kept(path)
    if (!id.startsWith('getTrending')) expect(tripsOf(await get(path, { token }))).toBeGreaterThan(0)
  }
})

test('what was deleted is gone after five seconds everywhere, and at once where it was deleted', async () => {
  const path = `/v1/posts/${post}`
  await kept(path)
  await shardHolding(post).prepare("update posts set text = 'edited' where id = ?").bind(Number(post)).run()
  later(SHARED_SECONDS * 1_000 - 1)
  const old = await get(path)
  expect(old.body).toMatchObject({ text: 'a post of the tests' })
  expect(old.headers.get('age')).toBe(String(SHARED_SECONDS))
  later(1)
  expect((await get(path)).body).toMatchObject({ text: 'edited' })
  await kept(path)
  const own = await mint(author.id, { sessionId: await insertLogin(author.id) })
  expect((await call({ method: 'DELETE', path, token: own, bindings })).status).toBe(204)
  await askUntil(path, ({ status }) => status === 404)
})

test('a changed profile is seen at once where it was changed', async () => {
  const path = `/v1/accounts/${author.id}`
  await kept(path)
  const own = await mint(author.id, { sessionId: await insertLogin(author.id) })
  const json = { displayName: 'New name' }
  expect((await call({ method: 'PATCH', path: '/v1/accounts/me', json, token: own, bindings })).status).toBe(200)
  await askUntil(path, ({ body }) => JSON.stringify(body).includes(json.displayName))
})

test.each(['suspended', 'deleted', 'for followers'])(
  'what is %s is in no kept answer five seconds later',
  async (way) => {
    const [mod] = await accountsOn(0)
    const paths: string[] = []
    for (const operation of reads.filter(({ id }) => shared.has(id))) paths.push(await pathOf(operation))
    const shown = async () => {
      const answers = await Promise.all(paths.map((path) => get(path)))
      return answers.filter(({ status, body }) => status === 200 && JSON.stringify(body).includes(post)).length
    }
    for (const path of paths) await kept(path)
    expect(await shown()).toBeGreaterThanOrEqual(3)
    if (way === 'suspended') await suspendAccount(asModerator(mod), { accountId: author.id })
    if (way === 'deleted') await deletePost(asUser(author.id), { postId: post })
    if (way === 'for followers') {
      await shardHolding(post)
        .prepare("update posts set visibility = 'followers' where id = ?")
        .bind(Number(post))
        .run()
      await shardHolding(post).prepare('delete from feed_index where post_id = ? and lane = 2').bind(Number(post)).run()
    }
    expect(await shown()).toBeGreaterThanOrEqual(3)
    later(SHARED_SECONDS * 1_000)
    expect(await shown()).toBe(0)
    await queues.deliver()
  },
)

test('failures are not kept', async () => {
  const [hidden] = await seedPosts([author.id], { visibility: 'followers' })
  const path = `/v1/posts/${hidden}`
  for (let n = 0; n < 2; n++) {
    const refused = await get(path)
    expect([refused.status, policyOf(refused)]).toEqual([404, 'private, no-store'])
  }
  await shardHolding(hidden!).prepare("update posts set visibility = 'public' where id = ?").bind(Number(hidden)).run()
  expect((await get(path)).status).toBe(200)
})

test('requests with the same meaning share an answer, and others do not', async () => {
  await kept(`/v1/accounts/${author.id}/posts`)
  expect(tripsOf(await get(`/v1/accounts/${author.id}/posts?limit=20`))).toBe(0)
  expect(tripsOf(await get(`/v1/accounts/${author.id}/posts?limit=21`))).toBeGreaterThan(0)
  expect((await get(`/v1/accounts/${author.id}/posts?other=1`)).status).toBe(422)
  await kept('/v1/feeds/tags/tea')
  expect(tripsOf(await get('/v1/feeds/tags/%74ea'))).toBe(0)
  expect(tripsOf(await get('/v1/feeds/tags/tea?none=milk'))).toBeGreaterThan(0)
})

test('HEAD and conditional requests are answered with what is kept', async () => {
  const path = `/v1/posts/${post}`
  const { headers } = await kept(path)
  const tag = headers.get('etag')!
  const head = await get(path, { method: 'HEAD' })
  expect([head.status, tripsOf(head), head.headers.get('etag'), head.body]).toEqual([200, 0, tag, null])
  const unchanged = await get(path, { headers: { 'if-none-match': tag } })
  expect([unchanged.status, tripsOf(unchanged), unchanged.body]).toEqual([304, 0, null])
  expect(['cache-control', 'etag', 'vary', 'age'].filter((name) => !unchanged.headers.has(name))).toEqual([])
  expect((await get(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
})

test('answers that were kept count against the limit of the address', async () => {
  const path = `/v1/posts/${post}`
  await kept(path)
  const headers = { 'cf-connecting-ip': '192.0.2.77' }
  const left = async () => Number(/r=(\d+)/.exec((await get(path, { headers })).headers.get('ratelimit')!)?.[1])
  const before = await left()
  expect([await left(), await left()]).toEqual([before - 1, before - 2])
})

test('without the cache, or while it fails, answers are read', async () => {
  const path = `/v1/posts/${post}`
  const off = await get(path, { bindings: env })
  expect([policyOf(off), off.headers.has('age')]).toEqual(['no-cache', false])
  vi.spyOn(caches, 'open').mockRejectedValue(new Error('the cache is down'))
  expect((await get(path)).status).toBe(200)
  expect(tripsOf(await get(path))).toBeGreaterThan(0)
  vi.restoreAllMocks()
})

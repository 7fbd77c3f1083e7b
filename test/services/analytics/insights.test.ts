import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import type { Activity } from '../../../src/services/analytics/activities.ts'
import type { Insights, PostInsights } from '../../../src/services/analytics/insights.ts'
import { act, agree, deliver, emptyAnalytics, foldAll, holdActivity, seen } from '../../support/activity.ts'
import { bulkIds, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { drained } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'

let ada: RegisteredUser
let bob: RegisteredUser
let readers: Id[]
let held: Activity[]
let post: Id

beforeAll(async () => {
  ;[ada, bob] = [await registeredUser(), await registeredUser()]
  readers = await bulkIds(8)
  await agree(readers)
  post = await publish()
})
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  held = holdActivity()
  await emptyAnalytics()
})
afterEach(() => void vi.restoreAllMocks())

const publish = async (json: object = {}) => {
  const response = await ada.fetch('/v1/posts', { method: 'POST', json: { text: 'hello', ...json } })
  return (await response.json<{ id: Id }>()).id
}
const today = () => new Date().toISOString().slice(0, 10)
const read = async <T>(path: string, user = ada) => (await user.fetch(`/v1${path}`)).json<T>()
const mine = async () => (await read<Insights>('/me/insights')).points.at(-1)!
const ofPost = async (id = post) => (await read<PostInsights>(`/posts/${id}/insights`)).points.at(-1)!

test('a like moves the charts of the author and of the post as soon as the queue has delivered it, and after it was folded', async () => {
  await bob.fetch(`/v1/posts/${post}/like`, { method: 'PUT' })
  await bob.fetch(`/v1/accounts/${ada.id}/follow`, { method: 'PUT' })
  await bob.fetch('/v1/posts', { method: 'POST', json: { text: 'a reply', parentId: post } })
  await drained()
  await until(async () => held.length >= 3)
  const expected = {
    start: today(),
    likes: 1,
    comments: 1,
    newFollowers: 1,
    impressions: null,
    reach: null,
  }
  expect(await mine()).toMatchObject({ likes: 0 })
  expect(await deliver(held)).toEqual([])
  expect(await mine()).toEqual(expected)
  await foldAll()
  expect(await mine()).toEqual(expected)
  expect(await ofPost()).toMatchObject({ likes: 1, comments: 1 })
})

test('impressions are reported without a database, and show from 5 readers on, once for each person, post and day', async () => {
  const { fetch } = ada
  const report = { postIds: [post, post], surface: 'profile' }
  const response = await bob.fetch('/v1/impressions', { method: 'POST', json: report })
  expect([response.status, await response.text()]).toEqual([204, ''])
  expect(held).toEqual([{ viewer: bob.id, postIds: [post], surface: 'profile', at: expect.any(Number) }])
  const other = await publish()
  await deliver(readers.slice(0, 4).flatMap((id) => [seen(id, [post, other]), seen(id, [post])]))
  const hidden = { impressions: null, reach: null }
  expect([await mine(), await ofPost()]).toEqual([expect.objectContaining(hidden), expect.objectContaining(hidden)])
  await deliver([seen(readers[4]!, [post], { surface: 'search' })])
  for (const fold of [false, true]) {
    if (fold) await foldAll()
    expect(await mine()).toMatchObject({ impressions: 5, reach: 5 })
    expect(await ofPost()).toMatchObject({ impressions: 5, reach: 5 })
    expect(await ofPost(other)).toMatchObject({ impressions: null, reach: null })
    const { sources, bestHours } = await read<Insights>('/me/insights')
    expect(sources).toEqual([])
    expect(bestHours).toEqual([{ hour: new Date().getUTCHours(), readers: 5 }])
  }
  await deliver(readers.map((id) => seen(id, [post])))
  expect((await read<Insights>('/me/insights')).sources).toEqual([{ surface: 'home', readers: 5 }])
  expect((await read<PostInsights>(`/posts/${post}/insights`)).sources).toEqual([{ surface: 'home', readers: 5 }])
  const yesterday = Date.now() - 86_400_000
  await deliver(readers.slice(0, 4).map((id) => seen(id, [post], { at: yesterday })))
  await foldAll()
  const day = new Date(yesterday).toISOString().slice(0, 10)
  for (const path of ['me/insights', `posts/${post}/insights`]) {
    const sum = async (query: string) => {
      const { points } = await read<Insights>(`/${path}?${query}`)
      return points.reduce((total, { impressions }) => total + (impressions ?? 0), 0)
    }
    // The four readers of yesterday are in no week, and in no period that is chosen for them.
    expect(await sum('step=week')).toBe(await sum('step=day'))
    expect(await sum(`from=${day}&to=${day}`)).toBe(0)
  }
  expect((await (await fetch('/v1/me/insights?step=week')).json<Insights>()).points.at(-1)).toMatchObject({ reach: 5 })
})

test('only the author reads the insights of a post; all others get the 404 of a post that does not exist', async () => {
  const secret = await publish({ visibility: 'followers' })
  const shape = async (user: RegisteredUser, id: string) => {
    const response = await user.fetch(`/v1/posts/${id}/insights`)
    const { instance: _, ...body } = await response.json<{ instance: string }>()
    return { status: response.status, body }
  }
  const absent = await shape(bob, '1970324836974593')
  expect(absent.status).toBe(404)
  expect(await shape(bob, post)).toEqual(absent)
  expect(await shape(bob, secret)).toEqual(absent)
  expect(await shape(ada, 'x')).toEqual(absent)
  expect((await shape(ada, secret)).status).toBe(200)
})

test('no insight reveals an account that blocks the author, or that the author blocks', async () => {
  await deliver(readers.slice(0, 5).map((id) => seen(id, [post])))
  const before = JSON.stringify([await mine(), await ofPost()])
  await agree([bob.id])
  await bob.fetch(`/v1/accounts/${ada.id}/block`, { method: 'PUT' })
  await drained()
  await bob.fetch('/v1/impressions', { method: 'POST', json: { postIds: [post], surface: 'home' } })
  await deliver(held.filter((each) => 'viewer' in each))
  expect(JSON.stringify([await mine(), await ofPost()])).toBe(before)
  await bob.fetch(`/v1/accounts/${ada.id}/block`, { method: 'DELETE' })
  await drained()
})

test.each([
  ['impressions', { postIds: [], surface: 'home' }],
  ['impressions', { postIds: Array.from({ length: 51 }, (_, i) => String(i + 1)), surface: 'home' }],
  ['impressions', { postIds: ['1', 'x'], surface: 'home' }],
  ['impressions', { postIds: [-1], surface: 'home' }],
  ['impressions', { postIds: ['1'], surface: 'moon' }],
  ['impressions', { postIds: ['1'] }],
  ['impressions', { postIds: ['1'], surface: 'home', at: 1 }],
  ['me/activity-choice', { agreed: 'yes' }],
  ['me/activity-choice', {}],
])('%s refuses %j and nothing changes', async (path, json) => {
  const method = path === 'impressions' ? 'POST' : 'PUT'
  const response = await ada.fetch(`/v1/${path}`, { method, json })
  expect([response.status, response.headers.get('content-type')]).toEqual([
    422,
    expect.stringMatching(/^application\/problem\+json/),
  ])
  expect(held.filter((each) => 'viewer' in each)).toEqual([])
  expect(await read('/me/activity-choice')).toEqual({ agreed: null })
})

test.each([
  'from=2026-13-01',
  'from=yesterday',
  'to=9999-01-01',
  'from=2026-11-20&to=2026-11-01',
  'from=2026-01-01&to=2026-11-01',
  'from=1970-01-01&to=1970-01-02',
  'step=minute',
  'step=month',
  'format=xml',
  'unknown=1',
])('insights refuse ?%s with a problem', async (query) => {
  for (const path of ['me/insights', `posts/${post}/insights`]) {
    const response = await ada.fetch(`/v1/${path}?${query}`)
    const { errors } = await response.json<{ errors: unknown[] }>()
    expect([response.status, errors.length > 0]).toEqual([422, true])
  }
})

test('insights are CSV where the client asks for it', async () => {
  await deliver([act('like', bob.id, { post, author: ada.id })])
  const csv = await ada.fetch(`/v1/me/insights?from=${today()}&format=csv`)
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
  expect(csv.headers.get('vary')).toContain('accept')
  const header = 'start,impressions,reach,likes,comments,newFollowers'
  expect(await csv.text()).toBe(`${header}\r\n${today()},,,1,0,0\r\n`)
  const accepted = await ada.fetch(`/v1/posts/${post}/insights`, { headers: { accept: 'text/csv' } })
  expect((await accepted.text()).split('\r\n')).toHaveLength(16)
  const json = await ada.fetch('/v1/me/insights?format=json', { headers: { accept: 'text/csv' } })
  expect(json.headers.get('content-type')).toBe('application/json')
  expect(json.headers.get('vary')).toContain('accept')
})

test('while the queue is down, a like succeeds and its event waits; impressions get 503', async () => {
  vi.spyOn(env.ACTIVITY, 'sendBatch').mockRejectedValue(new Error('the queue is down'))
  const refused = await bob.fetch('/v1/impressions', { method: 'POST', json: { postIds: [post], surface: 'home' } })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10'])
  const like = await bob.fetch(`/v1/posts/${await publish()}/like`, { method: 'PUT' })
  expect(like.status).toBe(200)
  const pending = () =>
    Promise.all(
      [env.SHARD_0, env.SHARD_1].map((db) =>
        db.prepare("select count(*) n from outbox where pending like '%count%'").first<number>('n'),
      ),
    )
  await until(async () => (await pending()).some((n) => n! > 0))
  vi.restoreAllMocks()
})

test('while ANALYTICS is overloaded, insights get 503 with Retry-After, and posts and likes go on', async () => {
  vi.spyOn(env.ANALYTICS, 'withSession').mockImplementation(() => {
    throw new Error('D1_ERROR: D1 DB is overloaded. Too many requests queued.')
  })
  for (const path of ['me/insights', `posts/${post}/insights`]) {
    const response = await ada.fetch(`/v1/${path}`)
    expect([response.status, response.headers.has('retry-after')]).toEqual([503, true])
  }
  expect((await bob.fetch(`/v1/posts/${post}/like`, { method: 'PUT' })).status).toBe(200)
  expect(
    (await bob.fetch('/v1/impressions', { method: 'POST', json: { postIds: [post], surface: 'home' } })).status,
  ).toBe(204)
})

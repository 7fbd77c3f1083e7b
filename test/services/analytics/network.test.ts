import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { idOf } from '../../../src/platform/data/ids.ts'
import { bucketOf } from '../../../src/services/analytics/buckets.ts'
import type { Overview } from '../../../src/services/analytics/network.ts'
import { numbersOf } from '../../../src/services/analytics/reading.ts'
import { act, agree, deliver, emptyAnalytics, foldAll, holdActivity, seen, stored } from '../../support/activity.ts'
import { bulkIds, type RegisteredUser, refresh, registeredUser, setRole } from '../../support/actors.ts'
import { insertByShard } from '../../support/databases.ts'
import { contextWith } from '../../support/platform.ts'

const DAY = 86_400_000
let admin: RegisteredUser
let analyst: RegisteredUser
let people: Id[]
let post: Id

beforeAll(async () => {
  ;[admin, analyst] = [await registeredUser(), await registeredUser()]
  await setRole(admin, 'admin')
  const give = (path: string, json: object) => admin.fetch(`/v1${path}`, { method: 'PUT', json })
  expect((await give('/roles/analyst', { permissions: ['posts:edit'] })).status).toBe(422)
  expect((await admin.fetch('/v1/roles/analyst', { method: 'DELETE' })).status).toBe(422)
  const { items } = await (await admin.fetch('/v1/roles')).json<{ items: { name: string }[] }>()
  expect(items.find(({ name }) => name === 'analyst')).toMatchObject({
    permissions: ['analytics:read'],
    isBuiltIn: true,
  })
  expect((await give(`/accounts/${analyst.id}/roles`, { roles: ['analyst'] })).status).toBe(200)
  await refresh(analyst)
  people = await bulkIds(10)
  await agree(people)
  const response = await admin.fetch('/v1/posts', { method: 'POST', json: { text: 'hello' } })
  post = (await response.json<{ id: Id }>()).id
})
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  holdActivity()
  await emptyAnalytics()
})
afterEach(() => void vi.restoreAllMocks())

const read = async <T>(path: string, user = analyst) => {
  const response = await user.fetch(`/v1/analytics/${path}`)
  expect(response.status).toBe(200)
  return response.json<T>()
}
const today = () => new Date().toISOString().slice(0, 10)

test('an analyst and an administrator read statistics, nobody else', async () => {
  const nobody = await registeredUser()
  const moderator = await registeredUser()
  await setRole(moderator, 'moderator')
  for (const path of ['overview', 'retention', 'funnel', 'top']) {
    const statuses = [admin, analyst, nobody, moderator].map(
      async (user) => (await user.fetch(`/v1/analytics/${path}`)).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 200, 403, 403])
  }
})

test('the overview counts active people of the day, week and month, and posts by minute', async () => {
  const now = Date.now()
  await deliver([
    ...people.slice(0, 6).map((id) => act('post', id, { at: now })),
    ...people.slice(0, 3).map((id) => act('login', id, { at: now })),
    ...people.slice(2, 8).map((id) => act('like', id, { at: now - DAY, post })),
    ...people.slice(0, 5).map((id) => seen(id, [post])),
    act('mail', null, { at: now }),
  ])
  for (const fold of [false, true]) {
    if (fold) await foldAll()
    const overview = await read<Overview>('overview')
    expect(overview).toMatchObject({ to: today(), daily: 6 })
    const ofWeek = new Date(now).getUTCDay() === 1 ? 6 : 8
    expect([overview.weekly, overview.points.length]).toEqual([ofWeek, 14])
    expect(overview.points.at(-1)).toMatchObject({ posts: 6, logins: 3, mails: 1, impressions: 5, activePeople: 6 })
    expect(overview.points.at(-2)).toMatchObject({ likes: 6, activePeople: 6 })
    expect(overview.minutes.reduce((sum, { posts }) => sum + posts, 0)).toBe(6)
    expect(overview.stickiness).toBeGreaterThan(0)
  }
  const csv = await analyst.fetch(`/v1/analytics/overview?from=${today()}`, { headers: { accept: 'text/csv' } })
  expect(await csv.text()).toBe(
    `start,activePeople,impressions,posts,comments,likes,follows,registrations,logins,mails\r\n${today()},6,5,6,0,0,0,0,3,1\r\n`,
  )
})

/** Accounts that registered some weeks ago. */
async function registeredAgo(weeks: number, count: number): Promise<Id[]> {
  const ids = Array.from({ length: count }, (_, i) => idOf(i % 2, Date.now() - weeks * 7 * DAY - i * 1_000, i))
  await insertByShard(
    'accounts',
    ids.map((id) => ({ id: Number(id), handle: `old_${id}`, display_name: '', created_at: 0 })),
    ({ id }) => String(id) as Id,
  )
  return ids
}

test('retention and the funnel count people by the week of their registration, and hide fewer than five', async () => {
  const [old, older] = [await registeredAgo(1, 6), await registeredAgo(3, 4)]
  const acts = (kind: string, ids: Id[]) => ids.map((id) => act(kind, id))
  // The account of a new registration is created later, when its address is verified.
  await deliver([act('register', idOf(0, Date.now(), 1))])
  const twice = [...acts('post', old.slice(0, 5)), ...acts('post', old.slice(0, 5))]
  await deliver([...acts('register', [...old, ...older]), ...acts('follow', old), ...twice, ...acts('verify', older)])
  await foldAll()
  const { sketches } = await stored()
  expect(sketches.findLast(({ metric, key }) => metric === 'funnel' && key === 'register')?.size).toBe(1)
  const funnel = await read<{ points: object[] }>('funnel?weeks=4')
  expect(funnel.points.at(-2)).toMatchObject({ registered: 6, verified: null, followed: 6, posted: 5 })
  expect(funnel.points.at(-4)).toMatchObject({ registered: null, verified: null })
  const retention = await read<{ points: { active: { people: number | null }[] }[] }>('retention?weeks=4')
  expect(retention.points.map(({ active }) => active.length)).toEqual([4, 3, 2, 1])
  expect(retention.points.at(-2)).toMatchObject({
    registered: 6,
    active: [
      { week: 0, people: null },
      { week: 1, people: 6 },
    ],
  })
  const csv = await analyst.fetch('/v1/analytics/retention?weeks=2&format=csv')
  expect((await csv.text()).split('\r\n')[0]).toBe('start,registered,week0,week1')
})

test('top posts are public ones, with the most likes and comments first', async () => {
  const publish = async (json: object) => {
    const response = await admin.fetch('/v1/posts', { method: 'POST', json: { text: 'hello', ...json } })
    return (await response.json<{ id: Id }>()).id
  }
  const [second, secret] = [await publish({}), await publish({ visibility: 'followers' })]
  const likes = (id: Id, count: number) => people.slice(0, count).map((actor) => act('like', actor, { post: id }))
  await deliver([...likes(post, 2), ...likes(second, 3), ...likes(secret, 9)])
  await foldAll()
  await deliver([...likes(post, 4), act('unlike', people[0]!, { post: second })])
  await foldAll()
  const { posts } = await read<{ posts: { post: { id: Id }; engagement: number }[] }>('top', admin)
  expect(posts.map((each) => [each.post.id, each.engagement])).toEqual([
    [post, 4],
    [second, 3],
  ])
  expect(await (await analyst.fetch('/v1/analytics/top?format=csv')).text()).toMatch(/^post,author,engagement\r\n/)
})

test.each([
  'overview?to=9999-01-01',
  'overview?from=x',
  'retention?weeks=0',
  'retention?weeks=13',
  'funnel?weeks=-1',
  'top?day=2099-01-01',
  'top?day=1',
  'top?x=1',
])('%s is refused with a problem', async (path) => {
  const response = await admin.fetch(`/v1/analytics/${path}`)
  expect([response.status, response.headers.get('content-type')]).toEqual([
    422,
    expect.stringMatching(/^application\/problem\+json/),
  ])
})

test.each([0, 1, 2, 23])('at %s:30 UTC, late acts of the day before count before they are folded', async (hour) => {
  const midnight = Date.parse(today())
  await deliver(people.slice(0, 6).map((id) => act('like', id, { at: midnight - 60_000 })))
  const later = { ...contextWith(), now: () => midnight + hour * 3_600_000 + 1_800_000 }
  const bucket = bucketOf('day', midnight - 1)
  const { count } = await numbersOf(later, [{ metrics: ['site.like'], buckets: [bucket], keys: [''] }], [])
  expect(count('site.like', bucket)).toBe(6)
})

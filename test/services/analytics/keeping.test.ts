import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { getFunnel, getRetention } from '../../../src/services/analytics/cohorts.ts'
import { getMyInsights } from '../../../src/services/analytics/insights.ts'
import { analyticsJobs } from '../../../src/services/analytics/jobs.ts'
import { getOverview } from '../../../src/services/analytics/network.ts'
import { analyticsData } from '../../../src/services/analytics/personal.ts'
import { act, deliver, emptyAnalytics, foldAll, holdActivity, logTexts, stored } from '../../support/activity.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { runJob } from '../../support/erasures.ts'
import { contextWith } from '../../support/platform.ts'
import { asUser } from '../../support/viewers.ts'

let bob: RegisteredUser
let post: Id

beforeAll(async () => {
  bob = await registeredUser()
  const response = await bob.fetch('/v1/posts', { method: 'POST', json: { text: 'hello' } })
  post = (await response.json<{ id: Id }>()).id
})
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  holdActivity()
  await emptyAnalytics()
})
afterEach(() => void vi.restoreAllMocks())

const today = () => new Date().toISOString().slice(0, 10)
const choiceOf = async (user: RegisteredUser) => (await user.fetch('/v1/me/activity-choice')).json()

test('a decision is stored, exported and erased, together with what was counted for the account', async () => {
  const carol = await registeredUser()
  for (const agreed of [true, false]) {
    const response = await carol.fetch('/v1/me/activity-choice', { method: 'PUT', json: { agreed } })
    expect([response.status, await response.json()]).toEqual([200, { agreed }])
  }
  expect(await choiceOf(carol)).toEqual({ agreed: false })
  await deliver([act('like', bob.id, { post, author: carol.id })])
  await foldAll()
  await deliver([act('comment', bob.id, { post, author: carol.id })])
  const ctx = contextWith()
  const files: Record<string, unknown> = {}
  for await (const { path, body } of analyticsData.exported(ctx, carol.id)) {
    let text = ''
    for await (const part of body) text += part
    files[path] = JSON.parse(text)
  }
  expect(files).toEqual({
    'activity-choice.json': { agreed: false, decidedAt: expect.any(String) },
    'insights.json': ['like', 'comment'].map((what) => ({ day: today(), what, n: 1 })),
  })
  expect(await analyticsData.erase(ctx, carol.id)).toBe(true)
  expect(JSON.stringify(await stored())).not.toContain(carol.id)
  expect(await choiceOf(carol)).toEqual({ agreed: null })
})

test('what still arrives for an account that waits for its erasure counts neither as its own nor for its posts', async () => {
  const dave = await registeredUser()
  const sql = 'update accounts set deleted_at = 1 where id = ?'
  for (const shard of [env.SHARD_0, env.SHARD_1]) await shard.prepare(sql).bind(Number(dave.id)).run()
  await deliver([act('like', dave.id, { post, author: bob.id }), act('follow', bob.id, { author: dave.id })])
  await foldAll()
  const { rollups, sketches } = await stored()
  expect(JSON.stringify(rollups)).not.toContain(dave.id)
  expect(rollups.find(({ metric, key }) => metric === 'post.like' && key === post)?.n).toBe(1)
  expect(sketches.find(({ metric, bucket }) => metric === 'people' && bucket.startsWith('d'))?.size).toBe(1)
})

test('salts are destroyed when their buckets close, and the log and roll-ups when they are old', async () => {
  const day = 86_400_000
  await deliver([act('post', bob.id)])
  await env.ACTIVITY_LOG.put(`log/${new Date(Date.now() - 40 * day).toISOString().slice(0, 10)}/old.ndjson`, '\n')
  await foldAll()
  expect(await logTexts()).toHaveLength(2)
  const job = (name: string) => analyticsJobs.find((each) => each.name.includes(name))!
  await runJob(job('old activity') as never)
  expect(await logTexts()).toHaveLength(1)
  const salts = async () => (await env.ACTIVITY_LOG.list({ prefix: 'salts/' })).objects.map(({ key }) => key)
  expect((await salts()).length).toBeGreaterThan(3)
  const later = { ...contextWith(), now: () => Date.now() + 500 * day }
  for (const each of analyticsJobs) await (each.run as (ctx: typeof later) => Promise<void>)(later)
  expect([await salts(), await stored()]).toEqual([[], { rollups: [], sketches: [] }])
  expect(await env.ANALYTICS.prepare('select count(*) n from slots').first('n')).toBe(0)
})

test('slots that are not folded yet are not deleted, however old they are', async () => {
  await deliver([act('post', bob.id)])
  const later = { ...contextWith(), now: () => Date.now() + 9 * 86_400_000 }
  await runJob(analyticsJobs.find(({ name }) => name === 'delete old activity') as never, later)
  await foldAll()
  expect((await stored()).rollups.find(({ metric }) => metric === 'site.post')?.n).toBe(1)
})

test('no statement calls a function with more arguments than D1 allows', async () => {
  const queries: string[] = []
  const { withSession } = env.ANALYTICS
  vi.spyOn(env.ANALYTICS, 'withSession').mockImplementation((start) => {
    const session = withSession.call(env.ANALYTICS, start as 'first-primary')
    const prepare = (query: string) => {
      queries.push(query)
      return prepared(query)
    }
    const prepared = session.prepare.bind(session)
    return Object.assign(session, { prepare })
  })
  const ctx = asUser(bob.id)
  for (const step of ['day', 'week'] as const) await getMyInsights(ctx, { step })
  for (const weeks of [8, 12]) {
    await getFunnel(ctx, { weeks })
    await getRetention(ctx, { weeks })
  }
  await getOverview(ctx, {})
  const calls = queries.flatMap((query) => query.match(/json_extract\([^()]*\)/g) ?? [])
  expect(calls.length).toBeGreaterThan(6)
  expect(Math.max(...calls.map((call) => call.split(',').length))).toBeLessThanOrEqual(32)
})

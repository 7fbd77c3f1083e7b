import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { analyticsJobs } from '../../../src/services/analytics/jobs.ts'
import { analyticsData } from '../../../src/services/analytics/personal.ts'
import { act, deliver, emptyAnalytics, foldAll, holdActivity, logTexts, stored } from '../../support/activity.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { runJob } from '../../support/erasures.ts'
import { contextWith } from '../../support/platform.ts'

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
    'insights.json': [{ day: today(), what: 'like', n: 1 }],
  })
  expect(await analyticsData.erase(ctx, carol.id)).toBe(true)
  expect(JSON.stringify(await stored())).not.toContain(carol.id)
  expect(await choiceOf(carol)).toEqual({ agreed: null })
})

test('salts are destroyed when their buckets close, and the log and roll-ups when they are old', async () => {
  const day = 86_400_000
  await deliver([act('post', bob.id), act('like', bob.id, { at: Date.now() - 40 * day })])
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

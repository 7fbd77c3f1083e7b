import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { createContext } from '../src/platform/create-context.ts'
import type { Id } from '../src/platform/data/ids.ts'
import type { Activity } from '../src/services/analytics/activities.ts'
import { setActivityChoice } from '../src/services/analytics/choices.ts'
import { getFunnel, getRetention } from '../src/services/analytics/cohorts.ts'
import { countActivities } from '../src/services/analytics/count.ts'
import { foldOldSlots } from '../src/services/analytics/fold-slots.ts'
import { reportImpressions } from '../src/services/analytics/impressions.ts'
import { getMyInsights, getPostInsights } from '../src/services/analytics/insights.ts'
import { getOverview } from '../src/services/analytics/network.ts'
import { getTopPosts } from '../src/services/analytics/top-posts.ts'
import { act, agree, deliver, emptyAnalytics, foldAll, seen } from './support/activity.ts'
import { accountsOn, bulkIds } from './support/actors.ts'
import { costOf, expectWithin } from './support/budgets.ts'
import { publishedId } from './support/posting.ts'

// Checks the budgets of analytics in docs/architecture.md.

const MINUTE = 60_000

test('an hour of full batches writes at most 0.05 rows per activity, with everything that follows', async () => {
  await emptyAnalytics()
  const people = await bulkIds(150)
  await agree(people)
  const authors = people.slice(0, 10)
  const posts: [Id, Id][] = []
  for (let i = 0; i < 30; i++) posts.push([await publishedId(authors[i % 10]!), authors[i % 10]!])
  const kinds = ['like', 'comment', 'login', 'post']
  const start = Date.now() - 90 * MINUTE
  let written = 0
  let activities = 0
  for (let batch = 0; batch < 120; batch++) {
    const at = start + batch * (MINUTE / 2)
    const items = Array.from({ length: 100 }, (_, i): Activity => {
      const actor = people[(batch * 31 + i * 7) % people.length]!
      const [post, author] = posts[(batch + i * 3) % posts.length]!
      if (i % 2 === 0) return seen(actor, [post], { at })
      return act(kinds[i % kinds.length]!, actor, { at, post, author })
    })
    const ctx = createContext({ env, waitUntil: () => {} })
    await countActivities(ctx, items)
    expect(ctx.cost.rowsWritten).toBeLessThanOrEqual(2)
    expect(ctx.cost.trips).toBeLessThanOrEqual(6)
    written += ctx.cost.rowsWritten
    activities += items.length
  }
  const ctx = createContext({ env, waitUntil: () => {} })
  await foldOldSlots(ctx)
  written += ctx.cost.rowsWritten
  expect(await env.ANALYTICS.prepare('select count(*) n from slots where open').first('n')).toBe(0)
  expect(activities).toBe(12_000)
  expect(written / activities).toBeLessThanOrEqual(0.05)
}, 120_000)

test('the operations of analytics cost what the document says', async () => {
  await emptyAnalytics()
  vi.spyOn(env.ACTIVITY, 'sendBatch').mockResolvedValue(undefined as never)
  const [ada] = await accountsOn(0)
  const post = await publishedId(ada)
  const readers = await bulkIds(6)
  await agree(readers)
  const now = Date.now()
  const days = Array.from({ length: 28 }, (_, i) => now - i * 86_400_000)
  for (const kind of ['like', 'comment', 'follow']) {
    const rows = days.map((at) => `('author.${kind}', 'd${new Date(at).toISOString().slice(0, 10)}', '${ada}', 1)`)
    await env.ANALYTICS.prepare(`insert into rollups values ${rows}`).run()
  }
  await deliver(readers.map((id) => seen(id, [post])))
  await foldAll()
  for (let i = 0; i < 70; i += 10)
    await deliver([act('like', readers[0]!, { post, author: ada, at: now - i * MINUTE })])
  const query = { step: 'day' as const }
  const read = { trips: 1, rowsRead: 400 }
  const posted = await costOf(ada, (ctx) => reportImpressions(ctx, { postIds: [post], surface: 'home' }))
  expectWithin('report impressions', posted, { queueMessages: 1 })
  const choice = await costOf(ada, (ctx) => setActivityChoice(ctx, { agreed: true }))
  expectWithin('decide', choice, { trips: 1, rowsRead: 2, rowsWritten: 1 })
  expectWithin('insights', await costOf(ada, (ctx) => getMyInsights(ctx, query)), read)
  const ofPost = await costOf(ada, (ctx) => getPostInsights(ctx, { postId: post, ...query }))
  expectWithin('insights of a post', ofPost, { trips: 2, rowsRead: 400 })
  expectWithin('overview', await costOf(ada, (ctx) => getOverview(ctx, {})), read)
  expectWithin('retention', await costOf(ada, (ctx) => getRetention(ctx, {})), read)
  expectWithin('funnel', await costOf(ada, (ctx) => getFunnel(ctx, {})), read)
  expectWithin('top posts', await costOf(ada, (ctx) => getTopPosts(ctx, {})), { trips: 2, rowsRead: 60 })
})

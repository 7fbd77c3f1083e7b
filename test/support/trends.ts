import { env } from 'cloudflare:workers'
import { DAY_MS } from '../../src/platform/data/expiry.ts'
import { type Id, idOf } from '../../src/platform/data/ids.ts'
import { storeTrends } from '../../src/services/search/trend-lists.ts'
import { forgetKept, trendingLinks, trendingPosts, trendingTags } from '../../src/services/search/trending.ts'
import { windowOf } from '../../src/services/search/votes.ts'
import { count, insertByShard } from './databases.ts'
import { queues } from './manual-queues.ts'
import { asAnonymous } from './viewers.ts'

export async function emptyTrends(): Promise<void> {
  for (const table of ['trend_folds', 'trend_votes', 'trend_hours', 'hidden_trends'])
    await env.INDEX.prepare(`delete from ${table}`).run()
  for (const { name } of (await env.CACHE.list({ prefix: 'trending:' })).keys) await env.CACHE.delete(name)
  forgetKept()
}

let last = 0
/** Accounts that were opened some days ago: their ids contain when. */
export async function accountsOf(count: number, days: number): Promise<Id[]> {
  const since = Date.now() - days * DAY_MS
  const ids = Array.from({ length: count }, (_, i) => idOf(i % 2, since + (last + i) * 10, i))
  last += count
  const rows = ids.map((id) => ({ id: Number(id), handle: `t${id}`, display_name: 'x', created_at: 1 }))
  await insertByShard('accounts', rows, (row) => row.id)
  return ids
}

export const votesFor = (key: string) => count(`select count(*) n from trend_votes where key = '${key}'`, [env.INDEX])
export const now = () => windowOf(Date.now())
export const vote = (actor: Id, kind: string, key: string, more: object = {}) => ({
  window: now(),
  actor_id: Number(actor),
  kind,
  key,
  lang: 'en',
  weight: 1,
  source_id: 1,
  ...more,
})
export const read = async () => {
  forgetKept()
  await storeTrends(queues.context())
  const [posts, tags, links] = await Promise.all([
    trendingPosts(asAnonymous(), {}),
    trendingTags(asAnonymous(), {}),
    trendingLinks(asAnonymous(), {}),
  ])
  return {
    posts: posts.items.map(({ post, actors }) => [post.id, actors]),
    tags: tags.items.map(({ tag, actors }) => [tag, actors]),
    links: links.items.map(({ url, actors }) => [url, actors]),
  }
}

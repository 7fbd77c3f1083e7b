import { inArray } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { type Cell, countsIn } from './cells.ts'
import { type Engaged, topPosts } from './tables.ts'

const LISTED = 50
const signs = new Map([
  ['post.like', 1],
  ['post.comment', 1],
  ['post.unlike', -1],
])

type Sum = Cell & { n: number }

/** The posts with the most likes and comments of each day, after `sums` were stored. */
export async function topAfter(db: Database, sums: readonly Sum[]): Promise<{ bucket: string; posts: Engaged[] }[]> {
  const changed = sums.filter(({ metric }) => signs.has(metric))
  if (changed.length === 0) return []
  const cells = changed.flatMap((cell) => [...signs.keys()].map((metric) => ({ ...cell, metric })))
  const buckets = [...new Set(changed.map(({ bucket }) => bucket))]
  const [before, lists] = await Promise.all([
    countsIn(db, cells),
    db.select().from(topPosts).where(inArray(topPosts.bucket, buckets)),
  ])
  const now = new Map([...before, ...changed].map((sum) => [`${sum.metric} ${sum.bucket} ${sum.key}`, sum]))
  return buckets.map((bucket) => {
    const listed = lists.find((list) => list.bucket === bucket)?.posts ?? []
    const engaged = new Map(listed.map(({ postId, n }): [string, number] => [postId, n]))
    const mine = [...now.values()].filter((sum) => sum.bucket === bucket)
    for (const { key } of mine) engaged.set(key, 0)
    for (const { metric, key, n } of mine) engaged.set(key, (engaged.get(key) ?? 0) + (signs.get(metric) ?? 0) * n)
    const posts = [...engaged].map(([key, n]) => ({ postId: Id.parse(key), n })).sort((a, b) => b.n - a.n)
    return { bucket, posts: posts.slice(0, LISTED) }
  })
}

import { inArray } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { type Cell, countsIn, sketchesIn } from './cells.ts'
import { Sketch } from './sketch.ts'
import { type Engaged, topPosts } from './tables.ts'

const LISTED = 50
const metrics = ['post.like', 'post.comment']

type Sums = readonly (Cell & { n: number })[]
type Sets = readonly (Cell & { sketch: string })[]

/** The posts with the most likes and comments of each day, after `sums` and `sets` were stored. */
export async function topAfter(db: Database, sums: Sums, sets: Sets): Promise<{ bucket: string; posts: Engaged[] }[]> {
  const changed = [...sums, ...sets].filter(({ metric }) => metrics.includes(metric))
  if (changed.length === 0) return []
  const cells = changed.flatMap(({ bucket, key }) => metrics.map((metric) => ({ metric, bucket, key })))
  const buckets = [...new Set(changed.map(({ bucket }) => bucket))]
  const [sumsBefore, setsBefore, lists] = await Promise.all([
    countsIn(db, cells),
    sketchesIn(db, cells),
    db.select().from(topPosts).where(inArray(topPosts.bucket, buckets)),
  ])
  const now = new Map([
    ...[...sumsBefore, ...sums].map((sum): [string, Cell & { n: number }] => [`sum ${idOf(sum)}`, sum]),
    ...[...setsBefore, ...sets].map((set): [string, Cell & { n: number }] => [
      `set ${idOf(set)}`,
      { ...set, n: metrics.includes(set.metric) ? new Sketch(set.sketch).size : 0 },
    ]),
  ])
  return buckets.map((bucket) => {
    const listed = lists.find((list) => list.bucket === bucket)?.posts ?? []
    const engaged = new Map(listed.map(({ postId, n }): [string, number] => [postId, n]))
    const mine = [...now.values()].filter((sum) => sum.bucket === bucket && metrics.includes(sum.metric))
    for (const { key } of mine) engaged.set(key, 0)
    for (const { key, n } of mine) engaged.set(key, (engaged.get(key) ?? 0) + n)
    const posts = [...engaged].map(([key, n]) => ({ postId: Id.parse(key), n })).sort((a, b) => b.n - a.n)
    return { bucket, posts: posts.slice(0, LISTED) }
  })
}

const idOf = ({ metric, bucket, key }: Cell) => `${metric} ${bucket} ${key}`

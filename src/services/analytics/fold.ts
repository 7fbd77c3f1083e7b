import { type Id, timeOf } from '../../platform/data/ids.ts'
import type { Surface } from './activities.ts'
import { bucketOf, cohortOf, hourOf, mondayOf, utcHourOf } from './buckets.ts'
import type { Cell } from './cells.ts'

/** An activity that may count. `actor` is null if it counts without a person. */
export type Entry = {
  id: string
  kind: string
  at: number
  actor: Id | null
  author: Id | null
  post: Id | null
  surface?: Surface
}

export type Tally = {
  /** Of the whole network, by kind. */
  site: Record<string, number>
  /** By the name of a cell. */
  counts: Record<string, number>
  members: Record<string, string[]>
}

/** A set that gets a member: what is hashed into it, with the salt of its bucket. */
export type Membership = Cell & { name: string }

export const VIEW = 'view'
const funnelSteps = new Set(['register', 'verify', 'follow', 'post'])

export const cellName = (metric: string, bucket: string, key = '') => `${metric}|${bucket}|${key}`
export const nameOf = ({ metric, bucket, key }: Cell) => cellName(metric, bucket, key)

export function cellIn(name: string): Cell {
  const [metric = '', bucket = '', key = ''] = name.split('|')
  return { metric, bucket, key }
}

/** The cells that count the activity itself, independent of the person. */
export function sumsOf({ kind, at, actor, author, post }: Entry): Cell[] {
  const day = bucketOf('day', at)
  if (kind === VIEW) return []
  const site = [hourOf(at), day].map((bucket) => ({ metric: `site.${kind}`, bucket, key: '' }))
  if (kind !== 'comment') return site
  const ofPost = post ? [{ metric: 'post.comment', bucket: day, key: post }] : []
  return [...site, ...ofPost, ...ofAuthor('author.comment', day, author, actor)]
}

/** The sets of people who did something to a post or an author on a day, so that repeating it counts once. */
export function reactionsOf({ kind, at, actor, author, post }: Entry): Membership[] {
  const day = bucketOf('day', at)
  const ofPost = kind === 'like' && post ? [{ metric: 'post.like', bucket: day, key: post }] : []
  const metric = kind === 'like' || kind === 'follow' ? `author.${kind}` : null
  const cells = metric ? [...ofPost, ...ofAuthor(metric, day, author, actor)] : ofPost
  return cells.map((cell) => ({ ...cell, name: `${actor}:${post}` }))
}

const ofAuthor = (metric: string, bucket: string, author: Id | null, actor: Id | null): Cell[] =>
  author !== null && author !== actor ? [{ metric, bucket, key: author }] : []

/** The sets of the people who were active, and of those who saw something. */
export function presenceOf({ kind, at, actor, author, post, surface }: Entry): Membership[] {
  if (actor === null) return []
  const [day, week, month] = [bucketOf('day', at), bucketOf('week', at), bucketOf('month', at)]
  const since = timeOf(actor)
  const cells = [
    ...[day, week, month].map((bucket) => ({ metric: 'people', bucket, key: '' })),
    { metric: 'cohort', bucket: week, key: mondayOf(since) },
  ]
  if (funnelSteps.has(kind)) cells.push({ metric: 'funnel', bucket: cohortOf(since), key: kind })
  if (kind === VIEW && author && post) {
    cells.push(
      { metric: 'author.reach', bucket: day, key: author },
      { metric: 'author.reach', bucket: week, key: author },
      { metric: 'author.from', bucket: week, key: `${author}:${surface}` },
      { metric: 'author.hour', bucket: week, key: `${author}:${utcHourOf(at)}` },
      { metric: 'post.reach', bucket: day, key: post },
      { metric: 'post.reach', bucket: week, key: post },
      { metric: 'post.from', bucket: week, key: `${post}:${surface}` },
    )
  }
  const views =
    kind === VIEW && author
      ? [
          { metric: 'views', key: '' },
          { metric: 'author.views', key: author },
        ]
      : []
  return [
    ...cells.map((cell) => ({ ...cell, name: actor })),
    ...views.map((cell) => ({ ...cell, bucket: day, name: `${actor}:${post}` })),
  ]
}

function add(into: Record<string, number>, more: Record<string, number>): void {
  for (const [name, n] of Object.entries(more)) into[name] = (into[name] ?? 0) + n
}

export function merged(tallies: Iterable<Tally>): Tally {
  const sum: Tally = { site: {}, counts: {}, members: {} }
  const sets = new Map<string, Set<string>>()
  for (const { site, counts, members } of tallies) {
    add(sum.site, site)
    add(sum.counts, counts)
    for (const [name, more] of Object.entries(members)) {
      const set = sets.get(name) ?? new Set()
      sets.set(name, set)
      for (const member of more) set.add(member)
    }
  }
  for (const [name, set] of sets) sum.members[name] = [...set]
  return sum
}

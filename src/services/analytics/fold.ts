import type { Id } from '../../platform/data/ids.ts'
import type { Surface } from './activities.ts'
import { bucketOf, cohortOf, hourOf, mondayOf, utcHourOf } from './buckets.ts'

/** The same person in the buckets of a day, week, month, and cohort; null where the bucket has closed. */
export type Person = { d: string | null; w: string | null; m: string | null; c: string | null; since: number }

/** An activity that is ready to be counted. `person` is null if nobody may know who did it. */
export type Entry = {
  id: string
  kind: string
  at: number
  person: Person | null
  author: Id | null
  post: Id | null
  surface?: Surface
}

export type Tally = {
  /** Of the whole network, by kind. */
  site: Record<string, number>
  /** By cell: metric, bucket and key. */
  counts: Record<string, number>
  members: Record<string, string[]>
}

export const VIEW = 'view'
const engagement = new Set(['like', 'unlike', 'comment', 'follow', 'unfollow'])
const funnelSteps = new Set(['register', 'verify', 'follow', 'post'])

/** The name of a cell in a slot. `cellIn` is its inverse. */
export const cellName = (metric: string, bucket: string, key = '') => `${metric}|${bucket}|${key}`

export function cellIn(name: string): { metric: string; bucket: string; key: string } {
  const [metric = '', bucket = '', key = ''] = name.split('|')
  return { metric, bucket, key }
}

/** What one activity adds. Views only add members, so that each counts once for a viewer, post and day. */
export function tallyOf(entry: Entry): Tally {
  const { kind, at, author, post } = entry
  const day = bucketOf('day', at)
  const counts: Record<string, number> = {}
  if (kind !== VIEW) for (const bucket of [hourOf(at), day]) counts[cellName(`site.${kind}`, bucket)] = 1
  if (engagement.has(kind)) {
    if (post) counts[cellName(`post.${kind}`, day, post)] = 1
    if (author) counts[cellName(`author.${kind}`, day, author)] = 1
  }
  return { site: kind === VIEW ? {} : { [kind]: 1 }, counts, members: membersOf(entry) }
}

function membersOf({ id, kind, at, person, author, post, surface }: Entry): Record<string, string[]> {
  if (!person) return {}
  const [day, week, month] = [bucketOf('day', at), bucketOf('week', at), bucketOf('month', at)]
  const found: [string, string | null][] = [
    [cellName('people', day), person.d],
    [cellName('people', week), person.w],
    [cellName('people', month), person.m],
    [cellName('cohort', week, mondayOf(person.since)), person.w],
  ]
  if (funnelSteps.has(kind)) found.push([cellName('funnel', cohortOf(person.since), kind), person.c])
  if (kind === VIEW && author && post) {
    found.push(
      [cellName('views', day), id],
      [cellName('author.views', day, author), id],
      [cellName('author.reach', day, author), person.d],
      [cellName('author.reach', week, author), person.w],
      [cellName('author.from', week, `${author}:${surface}`), person.w],
      [cellName('author.hour', week, `${author}:${utcHourOf(at)}`), person.w],
      [cellName('post.reach', day, post), person.d],
      [cellName('post.reach', week, post), person.w],
      [cellName('post.from', week, `${post}:${surface}`), person.w],
    )
  }
  return Object.fromEntries(found.flatMap(([name, member]) => (member === null ? [] : [[name, [member]]])))
}

export function addCounts(into: Record<string, number>, more: Record<string, number>): void {
  for (const [name, n] of Object.entries(more)) into[name] = (into[name] ?? 0) + n
}

/** Adds tallies to the sums of others. */
export function merged(tallies: Iterable<Tally>): Tally {
  const sum: Tally = { site: {}, counts: {}, members: {} }
  const sets = new Map<string, Set<string>>()
  for (const { site, counts, members } of tallies) {
    addCounts(sum.site, site)
    addCounts(sum.counts, counts)
    for (const [name, more] of Object.entries(members)) {
      const set = sets.get(name) ?? new Set()
      sets.set(name, set)
      for (const member of more) set.add(member)
    }
  }
  for (const [name, set] of sets) sum.members[name] = [...set]
  return sum
}

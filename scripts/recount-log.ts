/** A line of the log of activities, as it is stored in R2 (docs/storage.md). */
export type Line = {
  id: string
  kind: string
  at: number
  person: Record<'d' | 'w' | 'm' | 'c', string | null> | null
  author: string | null
  post: string | null
}

/** What the log says: sums, and numbers of different people, by cell. Cells are named `metric bucket key`. */
export type Recount = { activities: number; sums: Map<string, number>; people: Map<string, number> }

/**
 * Counts the log without the code of the service. Lines repeat when batches were delivered again, so each `id` counts
 * once. Authors are left out, because the log has pseudonyms for them.
 */
export function recount(texts: Iterable<string>): Recount {
  const lines = new Map<string, Line>()
  for (const text of texts) {
    for (const row of text.split('\n')) {
      if (row === '') continue
      const line: Line = JSON.parse(row)
      if (!lines.get(line.id)?.person) lines.set(line.id, line)
    }
  }
  const sums = new Map<string, number>()
  const sets = new Map<string, Set<string>>()
  for (const line of lines.values()) {
    for (const cell of sumsOf(line)) sums.set(cell, (sums.get(cell) ?? 0) + 1)
    for (const [cell, member] of setsOf(line)) {
      if (member === null) continue
      const set = sets.get(cell) ?? new Set()
      sets.set(cell, set.add(member))
    }
  }
  const people = new Map([...sets].map(([cell, set]) => [cell, set.size]))
  return { activities: lines.size, sums, people }
}

function sumsOf({ kind, at, post }: Line): string[] {
  if (kind === 'view') return []
  const time = new Date(at).toISOString()
  const ofPost =
    post && ['like', 'unlike', 'comment'].includes(kind) ? [`post.${kind} d${time.slice(0, 10)} ${post}`] : []
  return [`site.${kind} d${time.slice(0, 10)} `, `site.${kind} h${time.slice(0, 13)} `, ...ofPost]
}

function setsOf({ id, kind, at, post, person }: Line): [string, string | null][] {
  if (!person) return []
  const day = new Date(at).toISOString().slice(0, 10)
  const monday = new Date(at)
  while (monday.getUTCDay() !== 1) monday.setUTCDate(monday.getUTCDate() - 1)
  const week = monday.toISOString().slice(0, 10)
  const active: [string, string | null][] = [
    [`people d${day} `, person.d],
    [`people w${week} `, person.w],
    [`people m${day.slice(0, 7)}-01 `, person.m],
  ]
  if (kind !== 'view') return active
  return [
    ...active,
    [`views d${day} `, id],
    [`post.reach d${day} ${post}`, person.d],
    [`post.reach w${week} ${post}`, person.w],
  ]
}

export type Stored = {
  rollups: readonly { metric: string; bucket: string; key: string; n: number }[]
  sketches: readonly { metric: string; bucket: string; key: string; size: number }[]
}

const ERROR = 0.03
const MOST_EXACT = 1_000

/** Without the cells that began before the first day of the log, which deletes its oldest days. */
export function since(day: string, { activities, sums, people }: Recount, { rollups, sketches }: Stored) {
  const isCovered = (bucket: string) => bucket.slice(1, 11) >= day
  const covered = (cells: ReadonlyMap<string, number>) =>
    new Map([...cells].filter(([name]) => isCovered(name.split(' ')[1] ?? '')))
  return differences(
    { activities, sums: covered(sums), people: covered(people) },
    {
      rollups: rollups.filter(({ bucket }) => isCovered(bucket)),
      sketches: sketches.filter(({ bucket }) => isCovered(bucket)),
    },
  )
}

/** What the roll-ups say otherwise than the log, a sentence for each cell. Sketches of more than 1,000 people are estimates. */
export function differences({ sums, people }: Recount, { rollups, sketches }: Stored): string[] {
  const names = new Set(['people', 'views', 'post.reach'])
  const found = [
    ...compare(
      sums,
      rollups.filter(({ metric }) => !metric.startsWith('author.')).map((row) => ({ ...row, value: row.n })),
      () => 0,
    ),
    ...compare(
      people,
      sketches.filter(({ metric }) => names.has(metric)).map((row) => ({ ...row, value: row.size })),
      (counted) => (counted > MOST_EXACT ? Math.ceil(counted * ERROR) : 0),
    ),
  ]
  return found.sort()
}

type Cell = { metric: string; bucket: string; key: string; value: number }

function compare(counted: ReadonlyMap<string, number>, stored: readonly Cell[], tolerance: (n: number) => number) {
  const values = new Map(stored.map(({ metric, bucket, key, value }) => [`${metric} ${bucket} ${key}`, value]))
  return [...new Set([...counted.keys(), ...values.keys()])].flatMap((name) => {
    const [log, value] = [counted.get(name) ?? 0, values.get(name) ?? 0]
    return Math.abs(log - value) > tolerance(log) ? [`${name.trim()}: ${value} stored, ${log} in the log`] : []
  })
}

/** Lines of the log of activities, as they are stored in R2 (docs/storage.md): an act, or a member of a set. */
type Line =
  | { id: string; kind: string; hour: string; cells: string[] }
  | { id?: undefined; cell: string; member: string }

/** What the log says: sums, and sizes of sets, by cell. Cells are named `metric bucket key`. */
export type Recount = { activities: number; sums: Map<string, number>; people: Map<string, number> }

/**
 * Counts the log without the code of the service. Lines repeat when batches were delivered again, so each act and each
 * member counts once. The log has no cells of authors.
 */
export function recount(texts: Iterable<string>): Recount {
  const acts = new Set<string>()
  const sums = new Map<string, number>()
  const sets = new Map<string, Set<string>>()
  for (const text of texts) {
    for (const row of text.split('\n')) {
      if (row === '') continue
      const line: Line = JSON.parse(row)
      if (line.id === undefined) {
        const cell = line.cell.replaceAll('|', ' ')
        sets.set(cell, (sets.get(cell) ?? new Set()).add(line.member))
        continue
      }
      if (acts.has(line.id)) continue
      acts.add(line.id)
      const own = [`d${line.hour.slice(0, 10)}`, `h${line.hour}`].map((bucket) => `site.${line.kind} ${bucket} `)
      for (const cell of [...own, ...line.cells.map((name) => name.replaceAll('|', ' '))]) {
        sums.set(cell, (sums.get(cell) ?? 0) + 1)
      }
    }
  }
  const people = new Map([...sets].map(([cell, set]) => [cell, set.size]))
  return { activities: acts.size + [...sets.values()].reduce((sum, { size }) => sum + size, 0), sums, people }
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
  const isLogged = ({ metric }: { metric: string }) => !metric.startsWith('author.')
  const found = [
    ...compare(
      sums,
      rollups.filter(isLogged).map((row) => ({ ...row, value: row.n })),
      () => 0,
    ),
    ...compare(
      people,
      sketches.filter(isLogged).map((row) => ({ ...row, value: row.size })),
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

import type { SystemCtx } from '../../platform/context.ts'
import { sha256 } from '../../platform/security/crypto.ts'
import { dateOf, hourOf } from './buckets.ts'
import { LOG } from './log-names.ts'
import type { Hashed } from './people.ts'

/**
 * Stores what will be counted in R2 as NDJSON, one object per day and batch: a line per act, and a line per member of a
 * set, sorted, so that nothing joins the lines of one person. Other batches may repeat lines.
 */
export async function log(ctx: SystemCtx, activities: readonly Hashed[]): Promise<void> {
  for (const [day, group] of Map.groupBy(activities, ({ at }) => dateOf(at))) {
    const text = `${[...new Set(group.flatMap(linesOf))].sort().join('\n')}\n`
    const name = (await sha256(text)).subarray(0, 12).toHex()
    await ctx.env.ACTIVITY_LOG.put(`${LOG}${day}/${name}.ndjson`, text)
  }
}

/** Cells of authors are left out, because their names contain accounts. */
const isLogged = (cell: string) => !cell.startsWith('author.')

function linesOf({ id, at, kind, tally }: Hashed): string[] {
  const cells = Object.keys(tally.counts).filter((cell) => isLogged(cell) && !cell.startsWith('site.'))
  const members = Object.entries(tally.members).filter(([cell]) => isLogged(cell))
  const lines = members.flatMap(([cell, found]) => found.map((member): object => ({ cell, member })))
  if (id !== null) lines.push({ id, kind, hour: hourOf(at).slice(1), cells })
  return lines.map((line) => JSON.stringify(line))
}

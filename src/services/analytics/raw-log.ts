import type { SystemCtx } from '../../platform/context.ts'
import { sha256 } from '../../platform/security/crypto.ts'
import { bucketOf, dateOf } from './buckets.ts'
import type { Entry } from './fold.ts'
import { LOG } from './log-names.ts'
import { Pseudonyms } from './people.ts'

/**
 * Stores entries in R2 as NDJSON, one object per day and batch, with pseudonyms instead of accounts. A batch that is
 * delivered again has the same name. Other batches may repeat lines, which have the same `id`.
 */
export async function log(ctx: SystemCtx, entries: readonly Entry[]): Promise<void> {
  const people = new Pseudonyms(ctx)
  for (const [day, group] of Map.groupBy(entries, ({ at }) => dateOf(at))) {
    const lines = await Promise.all(group.map((entry) => lineOf(people, entry)))
    const text = `${lines.sort().join('\n')}\n`
    const name = (await sha256(text)).subarray(0, 12).toHex()
    await ctx.env.ACTIVITY_LOG.put(`${LOG}${day}/${name}.ndjson`, text)
  }
}

async function lineOf(people: Pseudonyms, { author, ...entry }: Entry): Promise<string> {
  const name = author && (await people.of(bucketOf('month', entry.at), author))
  return JSON.stringify({ ...entry, author: name })
}

import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, timeOf } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { accounts } from '../accounts/tables.ts'
import { bucketOf, cohortOf } from './buckets.ts'
import type { Person } from './fold.ts'
import { pseudonym, saltOf } from './salts.ts'
import { activityChoices } from './tables.ts'

/** What each account has decided: null if nothing yet. Accounts that do not exist are absent. */
export async function choicesOf(ctx: SystemCtx, ids: Iterable<Id>): Promise<Map<Id, boolean | null>> {
  const rows = await fromShards(ctx.db, ids, (db, group) =>
    db
      .select({ id: accounts.id, agreed: activityChoices.agreed })
      .from(accounts)
      .leftJoin(activityChoices, eq(activityChoices.accountId, accounts.id))
      .where(idIn(accounts.id, group)),
  )
  return new Map(rows.map(({ id, agreed }) => [id, agreed]))
}

/** Names people by pseudonyms, each computed once. */
export class Pseudonyms {
  private readonly ctx: SystemCtx
  private readonly made = new Map<string, Promise<string | null>>()

  constructor(ctx: SystemCtx) {
    this.ctx = ctx
  }

  /** Null if the bucket has closed. */
  of(bucket: string, name: string): Promise<string | null> {
    const key = `${bucket} ${name}`
    const found = this.made.get(key) ?? this.make(bucket, name)
    this.made.set(key, found)
    return found
  }

  async person(id: Id, at: number): Promise<Person> {
    const since = timeOf(id)
    const buckets = [bucketOf('day', at), bucketOf('week', at), bucketOf('month', at), cohortOf(since)]
    const [d = null, w = null, m = null, c = null] = await Promise.all(buckets.map((bucket) => this.of(bucket, id)))
    return { d, w, m, c, since }
  }

  private async make(bucket: string, name: string): Promise<string | null> {
    const salt = await saltOf(this.ctx, bucket)
    return salt && pseudonym(salt, name)
  }
}

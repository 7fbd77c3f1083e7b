import { and, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { destroyKeys, KEYS_OF_ACCOUNTS } from '../../platform/security/account-keys.ts'
import { deletions } from '../privacy/tables.ts'
import { handles, users } from './tables.ts'

const PAGES = 20
const KEYS_PER_PAGE = 1_000
const CHECKED = 'identity:checked-keys'

/** Finds the keys that an interrupted request left. A run continues where the last one ended; after the end, it starts over. */
export async function deleteUnusedKeys(ctx: SystemCtx): Promise<void> {
  let startAfter = (await ctx.env.CACHE.get(CHECKED)) || undefined
  for (let page = 0; page < PAGES; page++) {
    const listed = await ctx.env.KEYS.list({ prefix: KEYS_OF_ACCOUNTS, startAfter, limit: KEYS_PER_PAGE })
    const dayOld = listed.objects.filter(({ uploaded }) => uploaded.getTime() < ctx.now() - DAY_MS)
    const ids = dayOld.flatMap(({ key }) => Id.safeParse(key.slice(KEYS_OF_ACCOUNTS.length)).data ?? [])
    await destroyUnusedKeys(ctx, ids)
    startAfter = listed.truncated ? listed.objects.at(-1)?.key : undefined
    if (startAfter === undefined) break
  }
  await ctx.env.CACHE.put(CHECKED, startAfter ?? '')
}

/** Destroys the keys of accounts that are not stored. A tombstone of an erased account needs no key. */
export async function destroyUnusedKeys(ctx: SystemCtx, ids: readonly Id[]): Promise<void> {
  if (ids.length === 0) return
  const db = atPrimary(ctx).directory
  const found = await db.batch([
    db.select({ id: users.id }).from(users).where(idIn(users.id, ids)),
    db
      .select({ id: handles.accountId })
      .from(handles)
      .where(and(idIn(handles.accountId, ids), ne(handles.address, ''))),
    db.select({ id: deletions.accountId }).from(deletions).where(idIn(deletions.accountId, ids)),
  ])
  const used = new Set(found.flat().map(({ id }) => id))
  const unused = ids.filter((id) => !used.has(id))
  await destroyKeys(ctx, unused)
}

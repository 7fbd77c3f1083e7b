import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { namedPage, type Page } from '../../platform/data/page.ts'
import { QueryIds } from '../../platform/data/query-ids.ts'
import { cleanLine, cleanText, describeBounds, requireLength } from '../../platform/data/text.ts'
import { record } from '../../platform/events/events.ts'
import { invalid, notFound } from '../../platform/failures.ts'
import { isOfficialName } from '../identity/policy.ts'
import { accountIdsOf } from '../identity/queries.ts'
import { accountChanged } from './events.ts'
import { requireOther } from './policy.ts'
import { accounts } from './tables.ts'
import { type Account, loadAccounts } from './views.ts'

const bounds = { displayName: { characters: 50, bytes: 1_000 }, bio: { characters: 500, bytes: 10_000 } }

export const ProfileChange = z
  .strictObject({
    displayName: z.string().trim().min(1).optional().openapi(describeBounds(bounds.displayName)),
    bio: z.string().trim().optional().openapi(describeBounds(bounds.bio)),
  })
  .refine((change) => Object.keys(change).length > 0, 'must have at least one field')
  .openapi('ProfileChange', { minProperties: 1 })
type ProfileChange = z.infer<typeof ProfileChange>

/** Throws the same `not_found` for an account that is suspended, blocks the viewer, or never existed. */
export async function getAccount(ctx: Ctx, { accountId }: { accountId: Id }): Promise<Account> {
  const account = (await loadAccounts(ctx, [accountId])).get(accountId)
  if (!account) throw notFound()
  return account
}

export const WantedAccounts = z.strictObject({ ids: QueryIds })

/** The named accounts in their order, without those that the viewer may not know. */
export async function getAccounts(ctx: Ctx, { ids }: z.infer<typeof WantedAccounts>): Promise<Page<Account>> {
  return namedPage(ids, await loadAccounts(ctx, ids))
}

export function getMe(ctx: UserCtx): Promise<Account> {
  return getAccount(ctx, { accountId: ctx.viewer.id })
}

/**
 * Throws `invalid` for the viewer's own id, and `not_found` for an id of an unknown shard. The account is not read, so
 * that the response reveals nothing about it.
 */
/** Throws `not_found` for an id of a shard that does not exist. */
export function requireKnownOther(ctx: UserCtx, accountId: Id): void {
  requireOther(ctx, accountId)
  ctx.db.shardOf(accountId)
}

export async function getAccountByHandle(ctx: Ctx, { handle }: { handle: string }): Promise<Account> {
  const accountId = (await accountIdsOf(ctx, [handle.toLowerCase()])).get(handle.toLowerCase())
  if (!accountId) throw notFound()
  return getAccount(ctx, { accountId })
}

export async function editProfile(ctx: UserCtx, { displayName, bio }: ProfileChange): Promise<Account> {
  const accountId = ctx.viewer.id
  const change = {
    displayName: displayName && cleanLine('displayName', displayName),
    bio: bio && cleanText('bio', bio),
  }
  if (change.displayName === '') throw invalid('displayName', 'is empty')
  requireLength('displayName', change.displayName ?? '', bounds.displayName)
  requireLength('bio', change.bio ?? '', bounds.bio)
  if (change.displayName && ctx.viewer.role === 'user' && isOfficialName(change.displayName)) {
    throw invalid('displayName', 'looks like the name of this service or of its staff')
  }
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    db.update(accounts).set(change).where(eq(accounts.id, accountId)),
    record(db, accountChanged, { accountId }, changed),
  ])
  return getAccount(ctx, { accountId })
}

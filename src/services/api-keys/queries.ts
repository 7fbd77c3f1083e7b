import { and, desc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { ApiKeyGrant } from '../../platform/security/access-guard-keys.ts'
import { users } from '../identity/tables.ts'
import { apiKeys } from './tables.ts'

type Row = typeof apiKeys.$inferSelect

/** The keys of the account that are neither expired nor void, newest first. */
export function liveApiKeys(db: Database, accountId: Id) {
  const voidBefore = query.select({ at: users.keysVoidBefore }).from(users).where(eq(users.id, accountId))
  return db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.accountId, accountId), gt(apiKeys.expiresAt, db.now()), gt(apiKeys.createdAt, voidBefore)))
    .orderBy(desc(apiKeys.id))
}

export function grantOf({ id, hash, scopes, createdAt, expiresAt }: Row): ApiKeyGrant {
  return { id, hash, scopes: scopes.split(' '), createdAt, expiresAt }
}

/** What the account's guard stores of its keys. */
export async function readApiKeys(ctx: SystemCtx, accountId: Id): Promise<ApiKeyGrant[]> {
  return (await liveApiKeys(atPrimary(ctx).directory, accountId)).map(grantOf)
}

import { and, desc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { ApiKeyGrant } from '../../platform/security/access-guard-keys.ts'
import { apiKeys } from './tables.ts'

type Row = typeof apiKeys.$inferSelect

/** The keys of the account that have not expired, newest first. */
export function liveApiKeys(db: Database, accountId: Id) {
  return db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.accountId, accountId), gt(apiKeys.expiresAt, db.now())))
    .orderBy(desc(apiKeys.id))
}

export function grantOf({ id, hash, scopes, createdAt, expiresAt }: Row): ApiKeyGrant {
  return { id, hash, scopes: scopes.split(' '), createdAt, expiresAt }
}

/** What the account's guard stores of its keys. */
export async function readApiKeys(ctx: SystemCtx, accountId: Id): Promise<ApiKeyGrant[]> {
  return (await liveApiKeys(atPrimary(ctx).directory, accountId)).map(grantOf)
}

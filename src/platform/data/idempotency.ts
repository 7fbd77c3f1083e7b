import { and, eq, lt } from 'drizzle-orm'
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { UserCtx } from '../context.ts'
import { constraintOf, Failure } from '../http/errors.ts'
import { atPrimary, type Database } from './databases.ts'
import { type Id, id } from './ids.ts'

const KEPT_MS = 24 * 3_600_000

/** What an `Idempotency-Key` made: scoped to the viewer and the operation, in the viewer's shard, for 24 hours. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    accountId: id('account_id').notNull(),
    operation: text('operation').notNull(),
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    resultId: id('result_id').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.operation, t.key] })],
)

/** The first statement of the creating batch: claims the key for `resultId`, or fails the batch when it was used. */
export type Claim = (db: Database, resultId: Id) => ReturnType<typeof claimStatement>[]

/**
 * Creates once per `Idempotency-Key` (Stripe's practice; IETF draft-ietf-httpapi-idempotency-key-header).
 * `create` puts `claim`'s statements into its one batch, so the key and the effect commit together or not at all.
 * A repeat answers with `replay` of what was made, which decides anew whether the viewer may see it; the same key with
 * another input is `idempotency_mismatch`. `input` is what makes two requests the same.
 */
export async function idempotent<T>(
  ctx: UserCtx,
  operation: string,
  input: unknown,
  create: (claim: Claim) => Promise<T>,
  replay: (ctx: UserCtx, id: Id) => Promise<T>,
): Promise<{ value: T; replayed: boolean }> {
  const key = ctx.idempotencyKey
  if (key === undefined) return { value: await create(() => []), replayed: false }
  const fingerprint = await fingerprintOf(input)
  const claim: Claim = (db, resultId) => [claimStatement(ctx, db, { operation, key, fingerprint, resultId })]
  try {
    return { value: await create(claim), replayed: false }
  } catch (error) {
    if (!constraintOf(error)?.startsWith('idempotency_keys.')) throw error
    // At the primary: a replica may not have heard of the first request yet.
    const primary = { ...ctx, db: atPrimary(ctx) }
    return { value: await replay(primary, await used(primary, operation, key, fingerprint)), replayed: true }
  }
}

type Use = { operation: string; key: string; fingerprint: string; resultId: Id }

function claimStatement(ctx: UserCtx, db: Database, use: Use) {
  return db.insert(idempotencyKeys).values({ ...use, accountId: ctx.viewer.id, expiresAt: ctx.now() + KEPT_MS })
}

async function used(ctx: UserCtx, operation: string, key: string, fingerprint: string): Promise<Id> {
  const mine = and(
    eq(idempotencyKeys.accountId, ctx.viewer.id),
    eq(idempotencyKeys.operation, operation),
    eq(idempotencyKeys.key, key),
  )
  const [row] = await ctx.db.shardOf(ctx.viewer.id).select().from(idempotencyKeys).where(mine)
  if (!row) throw new Failure('unavailable', 'The first request with this key is being forgotten; try again')
  if (row.fingerprint !== fingerprint) throw new Failure('idempotency_mismatch')
  return row.resultId
}

async function fingerprintOf(input: unknown): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(input)))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
}

/** Forgets the keys of `db` that have expired. Run by the hourly clean-up. */
export async function deleteExpiredKeys(db: Database): Promise<void> {
  await db.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAt, db.now()))
}

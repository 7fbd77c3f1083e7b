import { and, eq, lt } from 'drizzle-orm'
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { UserCtx } from '../context.ts'
import { Failure, unavailable } from '../failures.ts'
import { sha256 } from '../security/crypto.ts'
import { violates } from './conditions.ts'
import { atPrimary, type Database } from './databases.ts'
import { deleteInSteps } from './expiry.ts'
import { type Id, id } from './ids.ts'

export const KEY_HOURS = 24

/** What the request with each key created. A key belongs to an account and operation, and is on the account's shard. */
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

/** The view of what was created, and whether an earlier request with the same key created it. */
export class Made<T> {
  constructor(
    readonly value: T,
    readonly replayed: boolean,
  ) {}
}

/** Claims the key for `resultId`, and fails if the key is used. Put it into the batch that creates the record. */
export type Claim = (db: Database, resultId: Id) => ReturnType<typeof claimStatement>[]

/**
 * Creates once per key (draft-ietf-httpapi-idempotency-key-header), because `claim` commits together with the record.
 * A repeat returns what `replay` reads; the same key with another `input` throws `idempotency_mismatch`.
 * @example
 * idempotent(ctx, 'createPost', input, (claim) => publish(ctx, input, claim),
 *   (primary, postId) => getPost(primary, { postId }))
 */
export async function idempotent<T>(
  ctx: UserCtx,
  operation: string,
  input: unknown,
  create: (claim: Claim) => Promise<T>,
  replay: (ctx: UserCtx, id: Id) => Promise<T>,
): Promise<Made<T>> {
  const key = ctx.idempotencyKey
  if (key === undefined) return new Made(await create(() => []), false)
  const fingerprint = await fingerprintOf(input)
  const claim: Claim = (db, resultId) => [claimStatement(ctx, db, { operation, key, fingerprint, resultId })]
  try {
    return new Made(await create(claim), false)
  } catch (error) {
    // The batch checks the quota before the key, so a repeat may fail with `quota_exceeded`, but it needs no quota.
    const isOverQuota = error instanceof Failure && error.code === 'quota_exceeded'
    if (!violates(error, idempotencyKeys.key) && !isOverQuota) throw error
    // Read at the primary, because a replica may not have the rows of the first request yet.
    const primary = { ...ctx, db: atPrimary(ctx) }
    const resultId = await resultOf(primary, operation, key, fingerprint)
    if (resultId !== null) return new Made(await replay(primary, resultId), true)
    throw isOverQuota ? error : unavailable(1, 'The Idempotency-Key has just expired; send the request again')
  }
}

type Use = { operation: string; key: string; fingerprint: string; resultId: Id }

function claimStatement(ctx: UserCtx, db: Database, use: Use) {
  return db
    .insert(idempotencyKeys)
    .values({ ...use, accountId: ctx.viewer.id, expiresAt: ctx.now() + KEY_HOURS * 3_600_000 })
}

async function resultOf(ctx: UserCtx, operation: string, key: string, fingerprint: string): Promise<Id | null> {
  const own = and(
    eq(idempotencyKeys.accountId, ctx.viewer.id),
    eq(idempotencyKeys.operation, operation),
    eq(idempotencyKeys.key, key),
  )
  const [row] = await ctx.db.shardOf(ctx.viewer.id).select().from(idempotencyKeys).where(own)
  if (!row) return null
  if (row.fingerprint !== fingerprint) throw new Failure('idempotency_mismatch')
  return row.resultId
}

async function fingerprintOf(input: unknown): Promise<string> {
  return (await sha256(JSON.stringify(input))).toBase64()
}

export async function deleteExpiredKeys(db: Database): Promise<void> {
  const { accountId, operation, key, expiresAt } = idempotencyKeys
  await deleteInSteps(db, idempotencyKeys, [accountId, operation, key], lt(expiresAt, db.now()))
}

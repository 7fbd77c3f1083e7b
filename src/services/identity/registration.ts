import { z } from '@hono/zod-openapi'
import { and, eq, inArray, isNotNull, lte, or, sql } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { openShard, withFreshId } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { constraintOf, Failure, invalid } from '../../platform/http/errors.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { openAccount } from '../accounts/statements.ts'
import { Address, emailIndex, sealEmail } from './email.ts'
import { addressVerified, registered } from './events.ts'
import { startSession } from './login.ts'
import { weaknessOf } from './password-rules.ts'
import { isReserved } from './reserved-handles.ts'
import { credentials, handles, users } from './tables.ts'
import { readVerificationToken } from './verification.ts'
import { Handle, type Tokens } from './views.ts'

const RESERVED_MS = 24 * 3_600_000

export const Registration = z
  .strictObject({ handle: Handle, email: Address, password: z.string().min(15).max(256) })
  .openapi('Registration')
type Registration = z.infer<typeof Registration>

/**
 * Reserves the handle and sends a mail: to a new address a verification token, to a known one the hint that there is an
 * account. The same statements run and the same is answered either way. Throws `handle_taken` or `invalid`.
 */
export async function register(ctx: Ctx, { handle, email, password }: Registration): Promise<void> {
  if (isReserved(handle)) throw invalid('handle', 'is reserved')
  const weakness = weaknessOf(password, { handle, address: email })
  if (weakness) throw invalid('password', weakness)
  const address = await emailIndex(ctx, email)
  await spend(ctx, 'register', `address:${address}`) // so that nobody's inbox is flooded, from however many places
  const { hashPassword } = await import('./passwords.ts')
  const hash = hashPassword(ctx.config, password)
  await withFreshId(ctx, openShard(ctx.env), 'handles.account_id', async (accountId) => {
    const sealed = await sealEmail(ctx, accountId, email)
    await reserve(ctx, { accountId, handle, address, sealed, hash })
  }).catch((error: unknown) => {
    throw constraintOf(error) === 'handles.handle' ? new Failure('handle_taken') : error
  })
}

type Reservation = { accountId: Id; handle: string; address: string; sealed: string; hash: string }

async function reserve(ctx: Ctx, { accountId, handle, address, sealed, hash }: Reservation): Promise<void> {
  const db = ctx.db.directory
  const now = ctx.now()
  const at = { createdAt: new Date(now), updatedAt: new Date(now) }
  // What the same address reserved before, and what nobody verified in time, gives way to this registration.
  const givesWay = or(
    and(isNotNull(handles.reservedUntil), eq(handles.address, address)),
    and(eq(handles.handle, handle), lte(handles.reservedUntil, now)),
  )
  const unverified = db.select({ id: handles.accountId }).from(handles).where(givesWay)
  await db.batch([
    db.delete(users).where(inArray(users.id, unverified)),
    db.delete(handles).where(givesWay),
    db.insert(handles).values({ handle, accountId, address, reservedUntil: now + RESERVED_MS }),
    db
      .insert(users)
      .values({ id: accountId, email: address, sealedAddress: sealed, ...at })
      .onConflictDoNothing({ target: users.email }),
    db.insert(credentials).select(sql`
      select ${crypto.randomUUID()}, ${accountId}, 'credential', id, ${hash}, ${now}, ${now}
      from ${users} where id = ${Number(accountId)}`),
    record(db, registered, { accountId }),
  ])
}

export const Verification = z
  .strictObject({ token: z.string().max(120), password: z.string().max(256) })
  .openapi('Verification')
type Verification = z.infer<typeof Verification>

/**
 * Takes the address for verified, opens the account and logs it in. A token does so once, and only together with the
 * password: whoever reads the mail need not be who registered. Throws `invalid`, `invalid_credentials` or
 * `rate_limited`.
 */
export async function verifyAddress(ctx: Ctx, { token, password }: Verification): Promise<Tokens> {
  const pending = await readVerificationToken(ctx, token)
  if (pending) await requirePassword(ctx, pending, password)
  const verified = pending && (await confirm(ctx, pending))
  if (!verified) throw invalid('token', 'has expired or was used; log in, or register again')
  await ctx.db.shardOf(verified.id).batch(openAccount(ctx.db.shardOf(verified.id), verified))
  return startSession(ctx, { ...verified, role: 'user', tokensVoidBefore: 0 })
}

async function requirePassword(
  ctx: Ctx,
  { accountId, hash }: { accountId: Id; hash: string | null },
  password: string,
): Promise<void> {
  // Per account, and only once its token has proved to hold: nobody without the mail can use up the tries.
  await spend(ctx, 'verify', accountId)
  const { passwordMatches } = await import('./passwords.ts')
  if (!passwordMatches(ctx.config, password, hash)) throw new Failure('invalid_credentials')
}

async function confirm(
  ctx: Ctx,
  { accountId, address }: { accountId: Id; address: string },
): Promise<{ id: Id; handle: string } | null> {
  const db = ctx.db.directory
  const changed = sql`changes() > 0`
  const [, confirmed] = await db.batch([
    db
      .update(users)
      .set({ emailVerified: true, updatedAt: new Date(ctx.now()) })
      .where(and(eq(users.id, accountId), eq(users.email, address), eq(users.emailVerified, false))),
    db
      .update(handles)
      .set({ reservedUntil: null })
      .where(and(eq(handles.accountId, accountId), changed))
      .returning({ handle: handles.handle }),
    record(db, addressVerified, { accountId }, changed),
  ])
  const [row] = confirmed
  return row ? { id: accountId, handle: row.handle } : null
}

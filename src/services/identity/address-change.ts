import { z } from '@hono/zod-openapi'
import { and, eq, exists, gt, gte, isNotNull, ne, not, type SQL } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { all, one, query, refusals, rowIf, valueIf, violates } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { destroyKeys } from '../../platform/security/account-keys.ts'
import { actorOf, sealClient } from '../../platform/security/clients.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { unauthorized } from '../../platform/security/tokens.ts'
import { readSuspension } from '../accounts/queries.ts'
import { readConfirmedChange, readUndoneAddress } from './address-tokens.ts'
import { Address, emailIndex, sealEmail } from './email.ts'
import { addressChanged, addressChangeRequested, addressChangeUndone } from './events.ts'
import { endFactorsSince } from './factors/removed-factors.ts'
import { CONFIRM_ADDRESS_HOURS, UNDO_ADDRESS_HOURS } from './lifetimes.ts'
import { addressChangeLimit } from './limits.ts'
import { badToken, MailedToken } from './mailed-tokens.ts'
import { queueMail } from './mails.ts'
import { revokeAllTokens } from './revocation.ts'
import { endLogins } from './statements.ts'
import { addressChanges, credentials, formerAddresses, handles, sessions, users } from './tables.ts'
import type { Accepted } from './views.ts'

const HOUR_MS = 3_600_000

export const AddressChange = z.strictObject({ email: Address }).openapi('AddressChange')
type AddressChange = z.infer<typeof AddressChange>

/** The same response and work for all addresses: only the delivery of the mail looks up whether one has an account. */
export async function changeAddress(ctx: UserCtx, { email }: AddressChange): Promise<Accepted> {
  const accountId = ctx.viewer.id
  const address = await emailIndex(ctx, email)
  await spend(ctx, addressChangeLimit, accountId)
  await spend(ctx, addressChangeLimit, `address:${address}`)
  const own = await atPrimary(ctx).directory.$count(users, and(eq(users.id, accountId), eq(users.email, address)))
  if (own > 0) throw invalid('email', 'is already your address')
  const sealed = await sealEmail(ctx, accountId, email)
  const actor = await actorOf(ctx)
  const db = ctx.db.directory
  const login = exists(query.select(one).from(sessions).where(eq(sessions.id, ctx.viewer.sessionId)))
  const until = valueIf(login, ctx.now() + CONFIRM_ADDRESS_HOURS * HOUR_MS, 'ended')
  const change = { address, sealedAddress: sealed, until }
  await db
    .commit([
      db
        .insert(addressChanges)
        .values({ accountId, ...change })
        .onConflictDoUpdate({ target: addressChanges.accountId, set: change }),
      record(db, addressChangeRequested, { accountId, ...actor }),
      ...queueMail(db, { accountId, kind: 'confirm-address', to: sealed, detail: address }),
    ])
    .catch(refusals({ ended: unauthorized }))
  return { status: 'accepted' }
}

export const AddressToken = z.strictObject({ token: MailedToken }).openapi('AddressToken')
type AddressToken = z.infer<typeof AddressToken>

/** Of several accounts that want the same address, the first to confirm it gets it. */
export async function confirmAddress(ctx: Ctx, { token }: AddressToken): Promise<void> {
  const { accountId, old, ...change } = await readConfirmedChange(ctx, token)
  const [client, suspendedAt] = await Promise.all([sealClient(ctx, accountId), readSuspension(ctx, accountId)])
  if (suspendedAt !== null) throw new Failure('suspended')
  const db = ctx.db.directory
  const now = ctx.now()
  const own = and(eq(addressChanges.accountId, accountId), eq(addressChanges.address, change.address))
  const isPending = exists(
    query
      .select(one)
      .from(addressChanges)
      .where(and(own, gt(addressChanges.until, now))),
  )
  const until = now + UNDO_ADDRESS_HOURS * HOUR_MS
  const former = { accountId, address: old.address, sealedAddress: old.sealed, leftAt: now, until }
  const { isReturn, undone } = returnTo(accountId, change.address, now)
  const warning = { accountId, kind: 'address-changed', to: old.sealed, detail: old.address } as const
  const [, ended, moved] = await db
    .commit([
      ...moveAddress(db, accountId, change, isPending),
      // Only an expired row can be in the way, until the job deletes it.
      db
        .insert(formerAddresses)
        .select(rowIf(formerAddresses, former, all(isPending, not(isReturn))))
        .onConflictDoUpdate({
          target: [formerAddresses.accountId, formerAddresses.address],
          set: { leftAt: now, until },
        }),
      record(db, addressChanged, { accountId, client }, isPending),
      ...queueMail(db, warning, all(isPending, not(isReturn))),
      ...queueMail(db, { accountId, kind: 'address-left', to: old.sealed }, all(isPending, isReturn)),
      db.delete(formerAddresses).where(and(undone, isPending)),
      db.delete(addressChanges).where(and(own, isPending)),
    ])
    .catch(refuseTaken)
  finish(ctx, ended, moved)
}

// A change back counts as a restoration. Otherwise, the person who made the first change would get the later undo link.
function returnTo(accountId: Id, address: string, now: number) {
  const own = eq(formerAddresses.accountId, accountId)
  const restored = and(own, eq(formerAddresses.address, address), gt(formerAddresses.until, now))
  const leftAt = query.select({ leftAt: formerAddresses.leftAt }).from(formerAddresses).where(restored)
  const isReturn = exists(query.select(one).from(formerAddresses).where(restored))
  return { isReturn, undone: and(own, gte(formerAddresses.leftAt, leftAt)) }
}

/** Restores the address that the account had. Voids the password, ends every login and the factors that are newer: a stranger may have all. */
export async function undoAddress(ctx: Ctx, { token }: AddressToken): Promise<void> {
  const { accountId, leftAt, left, ...former } = await readUndoneAddress(ctx, token)
  const client = await sealClient(ctx, accountId)
  const db = ctx.db.directory
  const { hashPassword } = await import('./passwords.ts')
  const password = hashPassword(ctx.config, crypto.randomUUID())
  const own = and(eq(formerAddresses.accountId, accountId), gte(formerAddresses.leftAt, leftAt))
  const valid = and(own, eq(formerAddresses.address, former.address), gt(formerAddresses.until, ctx.now()))
  const isValid = exists(query.select(one).from(formerAddresses).where(valid))
  const [, ended, moved] = await db
    .commit([
      ...moveAddress(db, accountId, former, isValid),
      ...endLogins(db, accountId, { when: isValid, devices: true, changes: { hasShortPassword: false } }),
      db
        .update(credentials)
        .set({ password, updatedAt: new Date(ctx.now()) })
        .where(and(eq(credentials.userId, accountId), eq(credentials.providerId, 'credential'), isValid)),
      // A stranger may have linked an identity, which would let the stranger in again.
      db
        .delete(credentials)
        .where(and(eq(credentials.userId, accountId), ne(credentials.providerId, 'credential'), isValid)),
      ...endFactorsSince(db, accountId, leftAt, isValid),
      record(db, addressChangeUndone, { accountId, client }, isValid),
      ...queueMail(db, { accountId, kind: 'address-restored' }, isValid),
      ...queueMail(db, { accountId, kind: 'address-left', to: left }, isValid),
      db.delete(formerAddresses).where(and(own, isValid)),
    ])
    .catch(refuseTaken)
  finish(ctx, ended, moved)
  await revokeAllTokens(ctx, { accountId })
}

/** Also ends the unverified registrations of the address, whose owner uses it for this account. */
function moveAddress(db: Database, accountId: Id, to: { address: string; sealedAddress: string }, when: SQL) {
  const isUnverified = and(eq(users.email, to.address), eq(users.emailVerified, false))
  return [
    db.delete(users).where(and(isUnverified, when)),
    db
      .delete(handles)
      .where(and(eq(handles.address, to.address), isNotNull(handles.reservedUntil), when))
      .returning({ id: handles.accountId }),
    db
      .update(users)
      .set({ email: to.address, sealedAddress: to.sealedAddress, updatedAt: new Date(db.now()) })
      .where(and(eq(users.id, accountId), when))
      .returning({ id: users.id }),
    db
      .update(handles)
      .set({ address: to.address })
      .where(and(eq(handles.accountId, accountId), when)),
  ] as const
}

function refuseTaken(error: unknown): never {
  throw violates(error, users.email) ? badToken() : error
}

function finish(ctx: Ctx, ended: { id: Id }[], moved: unknown[]): void {
  if (moved.length === 0) throw badToken()
  const ids = ended.map(({ id }) => id)
  ctx.defer(() => destroyKeys(ctx, ids))
}

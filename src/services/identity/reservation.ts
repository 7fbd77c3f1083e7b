import { and, eq, exists, inArray, isNotNull, lte, not, or, type SQL } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { failUnless, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { destroyKeys } from '../../platform/security/account-keys.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { addressVerified, providerLinked, registered } from './events.ts'
import { redeemInvitation, useInvitation } from './invitations.ts'
import { isKept } from './names.ts'
import { type Identity, isIdentity, linkRow } from './providers/identities.ts'
import { registrationFields } from './registration-rules.ts'
import { credentials, handles, users } from './tables.ts'
import { RESERVATION_MS } from './verification.ts'

export type Reservation = {
  accountId: Id
  handle: string
  address: string
  sealed: string
  /** Null for an account without a password. */
  hash: string | null
  invitation?: string | undefined
  /** The identity at a provider with which the person registers. If the provider has verified the address, we need not. */
  proof?: { identity: Identity; provider: string; isVerified: boolean }
}

/** One batch, whatever the address: a known one only reserves the handle. */
export async function reserve(ctx: Ctx, reservation: Reservation): Promise<void> {
  const { accountId, handle, address, sealed, hash, proof } = reservation
  const emailVerified = proof?.isVerified ?? false
  const db = ctx.db.directory
  const at = { createdAt: new Date(ctx.now()), updatedAt: new Date(ctx.now()) }
  const replaced = replacedBy(reservation, ctx.now())
  const isNew = exists(query.select(one).from(users).where(eq(users.id, accountId)))
  const key = { id: crypto.randomUUID(), accountId, providerId: 'credential', userId: accountId }
  const credential = { ...key, password: hash, ...at }
  const client = await sealClient(ctx, accountId)
  const unverified = db.select({ id: handles.accountId }).from(handles).where(replaced)
  const reservedUntil = emailVerified ? null : ctx.now() + RESERVATION_MS
  const [, , ended] = await db.commit([
    failUnless(db, not(isKept(db, handle)), 'handle_taken'),
    db.delete(users).where(inArray(users.id, unverified)),
    db.delete(handles).where(replaced).returning({ id: handles.accountId }),
    ...(await redeemInvitation(ctx, db, reservation)),
    db.insert(handles).values({ handle, accountId, address, reservedUntil }),
    db
      .insert(users)
      .values({
        id: accountId,
        email: address,
        sealedAddress: sealed,
        emailVerified,
        ...registrationFields(ctx),
        ...at,
      })
      .onConflictDoNothing({ target: users.email }),
    db.insert(credentials).select(rowIf(credentials, credential, isNew)),
    record(db, registered, { accountId, client }),
    ...(proof ? proved(ctx, db, { accountId, client, isNew, ...proof }) : []),
  ])
  ctx.defer(() =>
    destroyKeys(
      ctx,
      ended.map(({ id }) => id),
    ),
  )
}

/** Earlier reservations of the same address or identity, and an expired one of the same handle. */
function replacedBy({ handle, address, proof }: Reservation, now: number): SQL | undefined {
  const ofIdentity =
    proof && query.select({ id: credentials.userId }).from(credentials).where(isIdentity(proof.identity))
  return or(
    and(isNotNull(handles.reservedUntil), eq(handles.address, address)),
    ofIdentity && and(isNotNull(handles.reservedUntil), inArray(handles.accountId, ofIdentity)),
    and(eq(handles.handle, handle), lte(handles.reservedUntil, now)),
  )
}

type Proved = NonNullable<Reservation['proof']> & { accountId: Id; client: string | null; isNew: SQL }

/** Links the identity. A verified address must be free, and needs no mail. */
function proved(ctx: Ctx, db: Database, { identity, provider, isVerified, accountId, client, isNew }: Proved) {
  const link = { ...linkRow(ctx, identity), userId: accountId }
  return [
    ...(isVerified ? [failUnless(db, isNew, 'address_taken')] : []),
    db.insert(credentials).select(rowIf(credentials, link, isNew)),
    record(db, providerLinked, { accountId, provider, client }, isNew),
    ...(isVerified ? [record(db, addressVerified, { accountId, client }), useInvitation(db, accountId)] : []),
  ]
}

import { and, eq, exists, inArray, isNotNull, lte, not, or } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { failUnless, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { destroyKeys } from '../../platform/security/account-keys.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { registered } from './events.ts'
import { redeemInvitation } from './invitations.ts'
import { isKept } from './names.ts'
import { registrationFields } from './registration-rules.ts'
import { credentials, handles, users } from './tables.ts'
import { RESERVATION_MS } from './verification.ts'

type Reservation = { accountId: Id; handle: string; address: string; sealed: string; hash: string; invitation?: string }

/** One batch, whatever the address: a known one only reserves the handle. */
export async function reserve(ctx: Ctx, reservation: Reservation): Promise<void> {
  const { accountId, handle, address, sealed, hash } = reservation
  const db = ctx.db.directory
  const now = ctx.now()
  const at = { createdAt: new Date(now), updatedAt: new Date(now) }
  // Replaced: earlier reservations of the same address, and an expired one of the same handle.
  const replaced = or(
    and(isNotNull(handles.reservedUntil), eq(handles.address, address)),
    and(eq(handles.handle, handle), lte(handles.reservedUntil, now)),
  )
  const isNew = query.select(one).from(users).where(eq(users.id, accountId))
  const key = { id: crypto.randomUUID(), accountId, providerId: 'credential', userId: accountId }
  const credential = { ...key, password: hash, ...at }
  const unverified = db.select({ id: handles.accountId }).from(handles).where(replaced)
  const [, , ended] = await db.commit([
    failUnless(db, not(isKept(db, handle)), 'handle_taken'),
    db.delete(users).where(inArray(users.id, unverified)),
    db.delete(handles).where(replaced).returning({ id: handles.accountId }),
    ...(await redeemInvitation(ctx, db, reservation)),
    db.insert(handles).values({ handle, accountId, address, reservedUntil: now + RESERVATION_MS }),
    db
      .insert(users)
      .values({ id: accountId, email: address, sealedAddress: sealed, ...registrationFields(ctx), ...at })
      .onConflictDoNothing({ target: users.email }),
    db.insert(credentials).select(rowIf(credentials, credential, exists(isNew))),
    record(db, registered, { accountId, client: await sealClient(ctx, accountId) }),
  ])
  ctx.defer(() =>
    destroyKeys(
      ctx,
      ended.map(({ id }) => id),
    ),
  )
}

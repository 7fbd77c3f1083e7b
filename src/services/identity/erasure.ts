import { and, eq, isNull } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { forgetHandle } from './queries.ts'
import { formerHandles, handles, invitations, mails, sessions, users } from './tables.ts'

/** Nobody else may take the handle for this long, so that nobody is mistaken for the person who has left. */
const TOMBSTONE_DAYS = 90

/** Deleting the user deletes its credentials and addresses too, by foreign keys. Its handles stay as tombstones. */
export async function eraseLogins(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.directory
  const now = ctx.now()
  const tombstone = { address: '', reservedUntil: now + TOMBSTONE_DAYS * DAY_MS, mailedAt: now }
  const own = eq(handles.accountId, accountId)
  const isFormer = eq(formerHandles.accountId, accountId)
  const [current, former] = await db.batch([
    db.select({ handle: handles.handle }).from(handles).where(own),
    db.select({ handle: formerHandles.handle }).from(formerHandles).where(isFormer),
    db.update(formerHandles).set({ accountId: null }).where(isFormer),
    db.delete(invitations).where(eq(invitations.inviterId, accountId)),
    db.update(invitations).set({ accountId: null }).where(eq(invitations.accountId, accountId)),
    db.delete(mails).where(eq(mails.accountId, accountId)),
    db.delete(sessions).where(eq(sessions.userId, accountId)),
    db.delete(users).where(eq(users.id, accountId)),
    db
      .update(handles)
      .set(tombstone)
      .where(and(own, isNull(handles.reservedUntil))),
  ])
  for (const { handle } of [...current, ...former]) await forgetHandle(ctx, handle)
  return true
}

import { z } from '@hono/zod-openapi'
import { and, desc, eq, exists, gt, isNotNull, isNull, not, or, type SQL } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { changed, failUnless, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { invitationCreated } from './events.ts'
import { tooManyInvitations } from './failures.ts'
import { INVITATION_DAYS, MAX_OPEN_INVITATIONS } from './lifetimes.ts'
import { handles, invitations } from './tables.ts'
import { registrationMode } from './variables.ts'

const CODE_BYTES = 15

export const InvitationCode = z.string().max(60).openapi({
  description: 'Required where `readRegistration` returns the mode `invitation`',
})

const Invitation = z
  .object({ id: Id, createdAt: z.iso.datetime(), expiresAt: z.iso.datetime(), isUsed: z.boolean() })
  .openapi('Invitation', { example: { expiresAt: '2026-04-13T09:26:53.589Z' } })

export const InvitationWithCode = Invitation.extend({
  code: z.string().openapi({ description: 'Returned only once. `register` accepts it as `invitation`' }),
}).openapi('InvitationWithCode', { example: { code: 'Jw4nT9rXc2KpVz7sLq1M' } })
type InvitationWithCode = z.infer<typeof InvitationWithCode>

export const Invitations = z.object({ items: z.array(Invitation) }).openapi('Invitations')
type Invitations = z.infer<typeof Invitations>

export const InvitationPath = z.object({ invitationId: Id })

export async function createInvitation(ctx: UserCtx): Promise<InvitationWithCode> {
  if (registrationMode(ctx) !== 'invitation') throw new Failure('forbidden', 'registration needs no invitations here')
  const inviterId = ctx.viewer.id
  const code = crypto.getRandomValues(new Uint8Array(CODE_BYTES)).toHex()
  const createdAt = ctx.now()
  const expiresAt = createdAt + INVITATION_DAYS * DAY_MS
  const row = { code: await indexOf(ctx, code), inviterId, createdAt, expiresAt }
  const db = ctx.db.directory
  const actor = await actorOf(ctx)
  const isOpen = and(
    eq(invitations.inviterId, inviterId),
    isNull(invitations.usedAt),
    gt(invitations.expiresAt, createdAt),
  )
  const lastAllowed = query
    .select(one)
    .from(invitations)
    .where(isOpen)
    .limit(1)
    .offset(MAX_OPEN_INVITATIONS - 1)
  const id = await withFreshId(ctx, shardOf(inviterId), invitations.id, async (invitationId) => {
    const [inserted] = await db.commit([
      db
        .insert(invitations)
        .select(rowIf(invitations, { id: invitationId, ...row }, not(exists(lastAllowed))))
        .returning({ id: invitations.id }),
      record(db, invitationCreated, { accountId: inviterId, invitationId, ...actor }, changed),
    ])
    return inserted[0]?.id
  })
  if (!id) throw new Failure(tooManyInvitations)
  return { ...viewOf({ id, createdAt, expiresAt, usedAt: null }), code }
}

/** Without pages: at most five are open, and a job deletes all after seven days. */
export async function listInvitations(ctx: UserCtx): Promise<Invitations> {
  const { id, createdAt, expiresAt, usedAt } = invitations
  const rows = await ctx.db.directory
    .select({ id, createdAt, expiresAt, usedAt })
    .from(invitations)
    .where(and(eq(invitations.inviterId, ctx.viewer.id), gt(expiresAt, ctx.now())))
    .orderBy(desc(id))
  return { items: rows.map(viewOf) }
}

/** An invitation that was used stays, so that its inviter sees that. */
export async function revokeInvitation(ctx: UserCtx, { invitationId }: { invitationId: Id }): Promise<void> {
  const isOwn = and(eq(invitations.id, invitationId), eq(invitations.inviterId, ctx.viewer.id))
  await ctx.db.directory.delete(invitations).where(and(isOwn, isNull(invitations.usedAt)))
}

type Redeemed = { invitation?: string | undefined; accountId: Id }

/** For the batch of a registration. An invitation is free again when the registration that took it has lapsed. */
export async function redeemInvitation(ctx: Ctx, db: Database, { invitation, accountId }: Redeemed) {
  if (registrationMode(ctx) !== 'invitation') return []
  const now = ctx.now()
  const holds = or(isNull(handles.reservedUntil), gt(handles.reservedUntil, now))
  const holder = query
    .select(one)
    .from(handles)
    .where(and(eq(handles.accountId, invitations.accountId), holds))
  const code = await indexOf(ctx, invitation ?? '')
  const isFree = and(gt(invitations.expiresAt, now), isNull(invitations.usedAt), not(exists(holder)))
  return [
    db
      .update(invitations)
      .set({ accountId })
      .where(and(eq(invitations.code, code), isFree)),
    failUnless(db, changed, 'invitation'),
  ]
}

export const wrongInvitation = () =>
  invalid('invitation', 'must be the code of an invitation that is neither used nor expired')

export const takenInvitation = () =>
  invalid('token', 'belongs to a registration that no longer has its invitation; register again with another one')

/** Whether a verification may go on: until then, another registration can take the invitation of a lapsed one. */
export function holdsInvitation(ctx: Ctx, accountId: Id): SQL | undefined {
  if (registrationMode(ctx) !== 'invitation') return undefined
  const held = and(eq(invitations.accountId, accountId), isNull(invitations.usedAt))
  return exists(query.select(one).from(invitations).where(held))
}

/** For the batch of a verification, after a statement that changed a row. */
export function useInvitation(db: Database, accountId: Id) {
  const isHeld = and(eq(invitations.accountId, accountId), isNotNull(invitations.accountId))
  return db.update(invitations).set({ usedAt: db.now() }).where(and(isHeld, changed))
}

function indexOf(ctx: Ctx, code: string): Promise<string> {
  return blindIndex(ctx.config, 'invitation', code.trim().toLowerCase())
}

function viewOf(row: { id: Id; createdAt: number; expiresAt: number; usedAt: number | null }) {
  return {
    id: row.id,
    createdAt: new Date(row.createdAt).toISOString(),
    expiresAt: new Date(row.expiresAt).toISOString(),
    isUsed: row.usedAt !== null,
  }
}

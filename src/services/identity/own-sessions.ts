import { z } from '@hono/zod-openapi'
import { and, desc, eq, gt, inArray, isNull, ne } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { listed } from '../../platform/data/shards.ts'
import { record } from '../../platform/events/events.ts'
import { notFound } from '../../platform/failures.ts'
import { actorOf, openClients } from '../../platform/security/clients.ts'
import { sessionOfKey } from '../../platform/security/key-logins.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { liveApiKeys } from '../api-keys/queries.ts'
import { deleteApiKeys } from '../api-keys/statements.ts'
import { deleteGrants } from '../apps/statements.ts'
import { otherSessionsEnded } from './events.ts'
import { closeSession } from './session-rows.ts'
import { notBeforeKeys } from './statements.ts'
import { addressChanges, sessions, users } from './tables.ts'

const Session = z
  .object({
    id: z.string(),
    device: z.string(),
    place: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    isCurrent: z.boolean(),
  })
  .openapi('Session', {
    example: { id: 'sEs2Vd8mQx4TzK1', device: 'Firefox on Linux', place: 'London, GB', isCurrent: true },
  })
export const Sessions = z.object({ items: z.array(Session) }).openapi('Sessions')
type Sessions = z.infer<typeof Sessions>

export const SessionPath = z.object({ sessionId: z.string().max(64) })

export async function listSessions(ctx: UserCtx): Promise<Sessions> {
  const { id, sessionId } = ctx.viewer
  const rows = await atPrimary(ctx)
    .directory.select({
      id: sessions.id,
      client: sessions.sealedClient,
      createdAt: sessions.createdAt,
      updatedAt: sessions.updatedAt,
    })
    .from(sessions)
    .where(and(eq(sessions.userId, id), isNull(sessions.appId), gt(sessions.expiresAt, new Date(ctx.now()))))
    .orderBy(desc(sessions.updatedAt))
  const clients = await openClients(
    ctx,
    id,
    rows.map(({ client }) => client),
  )
  return {
    items: rows.map((row, i) => ({
      id: row.id,
      device: clients[i]?.device ?? 'Unknown device',
      place: clients[i]?.place ?? null,
      createdAt: row.createdAt.toISOString(),
      lastUsedAt: row.updatedAt.toISOString(),
      isCurrent: row.id === sessionId,
    })),
  }
}

export async function endSession(ctx: UserCtx, { sessionId }: { sessionId: string }): Promise<void> {
  const ended = await closeSession(ctx, { accountId: ctx.viewer.id, sessionId }, 'ended_remotely')
  if (!ended) throw notFound()
}

/** Revokes the API keys, what apps were allowed, the device tokens and the pending change of the address too. The device of this login gets a new one when it refreshes its tokens. */
export async function endOtherSessions(ctx: UserCtx): Promise<void> {
  const { id: accountId, sessionId } = ctx.viewer
  const db = ctx.db.directory
  const { directory } = atPrimary(ctx)
  const isOther = and(eq(sessions.userId, accountId), ne(sessions.id, sessionId))
  const [others, keys] = await directory.batch([
    directory.select({ id: sessions.id }).from(sessions).where(isOther),
    liveApiKeys(directory, accountId),
  ])
  const sessionIds = [...others.map(({ id }) => id), ...keys.map(({ id }) => sessionOfKey(id))]
  const actor = await actorOf(ctx)
  const now = ctx.now()
  const [[user]] = await db.commit([
    db
      .update(users)
      .set({ devicesVoidBefore: now, keysVoidBefore: notBeforeKeys(accountId, now) })
      .where(eq(users.id, accountId))
      .returning({ keysVoidBefore: users.keysVoidBefore }),
    deleteApiKeys(db, accountId),
    deleteGrants(db, accountId, now),
    db.delete(addressChanges).where(eq(addressChanges.accountId, accountId)),
    db.delete(sessions).where(inArray(sessions.id, listed(JSON.stringify(sessionIds)))),
    record(db, otherSessionsEnded, { accountId, sessionIds, ...actor }, changed),
  ])
  await revokeSessions(ctx, accountId, sessionIds, user?.keysVoidBefore)
}

import { and, desc, eq, exists, inArray, isNotNull, isNull, lt, ne, not } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { changed, one, query } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { type EndReason, loggedIn, refreshTokenReused, sessionEnded } from './events.ts'
import { MAX_LOGIN_DAYS, MAX_LOGINS, REFRESH_TOKEN_DAYS } from './lifetimes.ts'
import { queueMail } from './mails.ts'
import { refreshTokens } from './oauth-tables.ts'
import { sessions, users } from './tables.ts'

/** `warns`: a mail tells the owner of the account about the device, unless this is the first login. */
export type LoginDevice = { deviceId: string; warns: boolean }
type NewLogin = LoginDevice & { client: string | null }

/** Stores a login. If the account has too many, the one that was unused for longest ends. Returns the id. */
export async function openSession(ctx: Ctx, accountId: Id, login: NewLogin): Promise<string> {
  const db = ctx.db.directory
  const { client, warns } = login
  const row = newSession(ctx, accountId, login)
  const excess = query
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.userId, accountId), ne(sessions.id, row.id), isNull(sessions.appId)))
    .orderBy(desc(sessions.updatedAt))
    .limit(1)
    .offset(MAX_LOGINS - 1)
  const replaced = { accountId, sessionId: '', reason: 'replaced' as const, client }
  const isFirst = and(eq(users.id, accountId), isNull(users.firstLoginAt))
  const [, , , ended] = await db.commit([
    db.insert(sessions).values(row),
    record(db, loggedIn, { accountId, sessionId: row.id, client }),
    record(db, sessionEnded, replaced, exists(excess), { sessionId: excess }),
    db.delete(sessions).where(inArray(sessions.id, excess)).returning({ id: sessions.id }),
    db.update(users).set({ firstLoginAt: ctx.now() }).where(isFirst),
    ...(warns ? queueMail(db, { accountId, kind: 'new-device', detail: client ?? undefined }, not(changed)) : []),
  ])
  const endedIds = ended.map(({ id }) => id)
  if (endedIds.length > 0) await revokeSessions(ctx, accountId, endedIds)
  return row.id
}

function newSession(ctx: Ctx, userId: Id, { client, deviceId }: NewLogin) {
  const now = ctx.now()
  return {
    id: crypto.randomUUID(),
    userId,
    token: crypto.randomUUID(),
    expiresAt: expiryOf(now, now),
    createdAt: new Date(now),
    updatedAt: new Date(now),
    sealedClient: client,
    deviceId,
  }
}

type Ended = { accountId: Id; sessionId: string }

/** Ends a login. Returns false if there is none with this id, or it belongs to another account. */
export async function closeSession(ctx: Ctx, ended: Ended, reason: EndReason): Promise<boolean> {
  const db = ctx.db.directory
  const client = await sealClient(ctx, ended.accountId)
  const actorId = reason === 'logged_out' || reason === 'ended_remotely' ? ended.accountId : null
  const act = { ...ended, actorId, client }
  const own = and(eq(sessions.id, ended.sessionId), eq(sessions.userId, ended.accountId))
  const [deleted] = await db.commit([
    db.delete(sessions).where(own).returning({ id: sessions.id }),
    record(db, sessionEnded, { ...act, reason }, changed),
    ...(reason === 'token_reused' ? [record(db, refreshTokenReused, act, changed)] : []),
  ])
  if (deleted.length > 0) await revokeSessions(ctx, ended.accountId, [ended.sessionId])
  return deleted.length > 0
}

export function expiryOf(createdAt: number, usedAt: number): Date {
  return new Date(Math.min(createdAt + MAX_LOGIN_DAYS * DAY_MS, usedAt + REFRESH_TOKEN_DAYS * DAY_MS))
}

export type Use = { sessionId: string; tokenId: string; createdAt: number; usedAt: number }

export function noteUse(db: Database, { sessionId, createdAt, usedAt }: Use) {
  const isOver = lt(refreshTokens.rotationReplayExpiresAt, new Date(usedAt))
  return [
    db
      .update(sessions)
      .set({ updatedAt: new Date(usedAt), expiresAt: expiryOf(createdAt, usedAt) })
      .where(eq(sessions.id, sessionId)),
    db.delete(refreshTokens).where(and(eq(refreshTokens.sessionId, sessionId), isOver)),
  ] as const
}

/** Undoes a rotation that was interrupted before its response was stored, so nobody has the new token. */
export async function undoRotation(db: Database, { sessionId, tokenId }: { sessionId: string; tokenId: string }) {
  const isRotated = and(eq(refreshTokens.id, tokenId), isNotNull(refreshTokens.revoked))
  const unanswered = and(isRotated, isNull(refreshTokens.rotationReplayResponse))
  const successor = and(eq(refreshTokens.sessionId, sessionId), isNull(refreshTokens.revoked))
  // With another id, the token cannot be changed by the interrupted request if that continues.
  const usable = { id: crypto.randomUUID(), revoked: null, rotatedAt: null, rotationReplayExpiresAt: null }
  await db.batch([
    db.delete(refreshTokens).where(and(successor, exists(query.select(one).from(refreshTokens).where(unanswered)))),
    db.update(refreshTokens).set(usable).where(unanswered),
  ])
}

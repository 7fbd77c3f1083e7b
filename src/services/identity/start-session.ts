import { and, eq, isNotNull } from 'drizzle-orm'
import type { Ctx, Role } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { digest } from '../../platform/security/crypto.ts'
import { readSuspension } from '../accounts/queries.ts'
import type { AppGrant } from './auth.ts'
import { encodeDeviceToken } from './device-tokens.ts'
import { invalidCredentials } from './failures.ts'
import { refreshTokens } from './oauth-tables.ts'
import { encodeRefreshToken } from './refresh-tokens.ts'
import { type LoginDevice, noteUse, openSession, type Use } from './session-rows.ts'
import { users } from './tables.ts'
import type { Tokens } from './views.ts'

export type Person = { id: Id; handle: string; role: Role; tokensVoidBefore: number }
/** If the token was already `rotated`, the client gets the stored response of that rotation again. */
type Rotation = { tokenId: string; rotated: boolean; createdAt: number; usedAt: number }
export type Session = {
  sessionId: string
  isSuspended: boolean
  deviceId?: string | null
  rotation?: Rotation
  app?: AppGrant
}

/** A suspended person gets tokens that only export and delete the account. */
export async function startSession(
  ctx: Ctx,
  person: Person,
  device: LoginDevice = { deviceId: crypto.randomUUID(), warns: true },
): Promise<Tokens> {
  const [client, suspendedAt] = await Promise.all([sealClient(ctx, person.id), readSuspension(ctx, person.id)])
  const sessionId = await openSession(ctx, person.id, { ...device, client })
  const login = { sessionId, deviceId: device.deviceId, isSuspended: suspendedAt !== null }
  const tokens = await issueTokenPair(ctx, person, login)
  if (!tokens) throw new Failure(invalidCredentials)
  return tokens
}

/** Returns null while another request is rotating the same token. */
export async function issueTokenPair(ctx: Ctx, person: Person, login: Session): Promise<Tokens | null> {
  const issued = await issueFor(ctx, person, login)
  if (!issued?.secret) return null
  const { sessionId, deviceId, isSuspended } = login
  return {
    accessToken: issued.accessToken,
    refreshToken: await encodeRefreshToken(ctx, sessionId, issued.secret),
    tokenType: 'Bearer',
    expiresIn: issued.expiresIn,
    deviceToken: await encodeDeviceToken(ctx, {
      accountId: person.id,
      deviceId: deviceId ?? sessionId,
      issuedAt: issued.usedAt,
    }),
    account: { id: person.id, handle: person.handle },
    ...(isSuspended && { suspended: true }),
  }
}

type Owner = Pick<Person, 'id' | 'role' | 'tokensVoidBefore'>

/** Returns null while another request is rotating the same token. `secret` is null if no refresh token was issued. */
export async function issueFor(ctx: Ctx, person: Owner, login: Session) {
  const { issueTokens, replayRotation } = await import('./auth.ts')
  await waitForNextSecond(ctx, person.tokensVoidBefore)
  const { sessionId, rotation, isSuspended, app } = login
  const user = { id: person.id, role: isSuspended ? 'user' : person.role }
  const issued = rotation?.rotated
    ? await replayRotation(ctx, rotation.tokenId)
    : await issueTokens(ctx, { user, sessionId, isSuspended, rotates: rotation?.tokenId, app })
  if (!issued) return null
  const usedAt = rotation?.rotated ? rotation.usedAt : ctx.now()
  const use = rotation?.rotated === false ? { ...rotation, sessionId, usedAt } : undefined
  const { isRevoked, isUndone } = await recheck(ctx, person, use)
  if (isRevoked) throw new Failure(invalidCredentials)
  if (isUndone) {
    if (issued.secret) await deleteRefreshToken(ctx, issued.secret)
    return null
  }
  return { ...issued, usedAt }
}

/** Tokens store their issue time in whole seconds: one from the second of a revocation would be revoked too. */
async function waitForNextSecond(ctx: Ctx, time: number): Promise<void> {
  const next = (Math.floor(time / 1_000) + 1) * 1_000
  if (ctx.now() < next) await scheduler.wait(next - ctx.now())
}

/** `isRevoked`: while the new tokens were issued, so their claims may be outdated. `isUndone`: by a faster request. */
async function recheck(ctx: Ctx, { id, tokensVoidBefore }: Owner, use: Use | undefined) {
  const db = atPrimary(ctx).directory
  const rotated = and(eq(refreshTokens.id, use?.tokenId ?? ''), isNotNull(refreshTokens.rotationReplayResponse))
  const read = db
    .select({ now: users.tokensVoidBefore, rotatedId: refreshTokens.id })
    .from(users)
    .leftJoin(refreshTokens, rotated)
    .where(eq(users.id, id))
  const [[user]] = use ? await db.batch([read, ...noteUse(db, use)]) : [await read]
  return { isRevoked: user?.now !== tokensVoidBefore, isUndone: use !== undefined && !user?.rotatedId }
}

async function deleteRefreshToken(ctx: Ctx, secret: string): Promise<void> {
  const { directory } = atPrimary(ctx)
  await directory.delete(refreshTokens).where(eq(refreshTokens.token, await digest(secret)))
}

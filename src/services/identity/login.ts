import { z } from '@hono/zod-openapi'
import { and, eq, isNotNull } from 'drizzle-orm'
import type { Ctx, Role } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { spend, trySpend, userLimit } from '../../platform/security/rate-limit.ts'
import { readSuspension } from '../accounts/queries.ts'
import { deletions } from '../privacy/tables.ts'
import type { AppGrant } from './auth.ts'
import { keepAccount } from './cancel-deletion.ts'
import { type Device, DeviceToken, decodeDeviceToken, encodeDeviceToken } from './device-tokens.ts'
import { awaitingApproval, invalidCredentials } from './failures.ts'
import { checkGuess, noteRefusal } from './guessing.ts'
import { newDeviceMailLimit } from './limits.ts'
import { isNamed, nameOf } from './names.ts'
import { refreshTokens } from './oauth-tables.ts'
import { Password } from './password-rules.ts'
import { encodeRefreshToken, hashToken } from './refresh-tokens.ts'
import { type LoginDevice, noteUse, openSession, type Use } from './session-rows.ts'
import { credentials, handles, users } from './tables.ts'
import { TurnstileToken } from './turnstile.ts'
import { Identifier, type Tokens } from './views.ts'

export const Login = z
  .strictObject({
    identifier: Identifier,
    password: Password,
    deviceToken: DeviceToken.optional(),
    turnstileToken: TurnstileToken.optional(),
  })
  .openapi('Login')
type Login = z.infer<typeof Login>

/** An unknown name, an unverified address and a wrong password cost the same work and get the same response. */
export async function logIn(ctx: Ctx, { identifier, password, deviceToken, turnstileToken }: Login): Promise<Tokens> {
  const device = await decodeDeviceToken(ctx, deviceToken)
  // With a device token, the person is looked up before the guess is counted. Without one, refusing a guess costs no trip.
  const found = device ? await findPerson(ctx, identifier) : undefined
  const deviceId = device && found && isTrusted(device, found) ? device.deviceId : null
  const { person } = await checkGuess(ctx, { identifier, deviceId, turnstileToken }, async () => {
    const { passwordMatches } = await import('./passwords.ts')
    const named = device ? found : await findPerson(ctx, identifier)
    const matches = passwordMatches(ctx.config, password, named?.password ?? null)
    const person = named?.emailVerified ? named : null
    return { isRight: matches && person !== null, accountId: person?.id ?? null, person: matches ? person : null }
  })
  if (!person) throw new Failure(invalidCredentials)
  if (person.approval) {
    await noteRefusal(ctx, { accountId: person.id, reason: 'awaiting_approval' })
    throw new Failure(awaitingApproval)
  }
  // Counts as a request of the account, so that logging in is not unlimited for those who know a password.
  await spend(ctx, userLimit, person.id)
  const deletionCancelled = person.eraseAt !== null
  if (deletionCancelled) await keepAccount(ctx, person.id)
  const tokens = await startSession(ctx, person, await deviceOf(ctx, person.id, deviceId))
  return { ...tokens, ...(deletionCancelled && { deletionCancelled }) }
}

async function deviceOf(ctx: Ctx, accountId: Id, knownId: string | null): Promise<LoginDevice> {
  if (knownId !== null) return { deviceId: knownId, warns: false }
  const warns = trySpend(ctx, newDeviceMailLimit, accountId).then(
    (allowance) => allowance !== null,
    () => true,
  )
  return { deviceId: crypto.randomUUID(), warns: await warns }
}

function isTrusted(device: Device, { id, devicesVoidBefore }: { id: Id; devicesVoidBefore: number }): boolean {
  return device.accountId === id && device.issuedAt > devicesVoidBefore
}

async function findPerson(ctx: Ctx, identifier: string) {
  const [person] = await atPrimary(ctx)
    .directory.select({
      id: users.id,
      handle: handles.handle,
      role: users.role,
      emailVerified: users.emailVerified,
      approval: users.approval,
      tokensVoidBefore: users.tokensVoidBefore,
      devicesVoidBefore: users.devicesVoidBefore,
      password: credentials.password,
      eraseAt: deletions.eraseAt,
    })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .innerJoin(credentials, and(eq(credentials.userId, users.id), eq(credentials.providerId, 'credential')))
    .leftJoin(deletions, eq(deletions.accountId, users.id))
    .where(isNamed(ctx, await nameOf(ctx, identifier)))
  return person
}

export type Person = { id: Id; handle: string; role: Role; tokensVoidBefore: number }
/** If the token was already `rotated`, the client gets the stored response of that rotation again. */
type Rotation = { tokenId: string; rotated: boolean; createdAt: number; usedAt: number }
export type Session = { sessionId: string; deviceId?: string | null; rotation?: Rotation; app?: AppGrant }

export async function requireNotSuspended(ctx: Ctx, accountId: Id): Promise<void> {
  if ((await readSuspension(ctx, accountId)) !== null) throw new Failure('suspended')
}

export async function startSession(
  ctx: Ctx,
  person: Person,
  device: LoginDevice = { deviceId: crypto.randomUUID(), warns: true },
): Promise<Tokens> {
  const [client, suspendedAt] = await Promise.all([sealClient(ctx, person.id), readSuspension(ctx, person.id)])
  if (suspendedAt !== null) {
    await noteRefusal(ctx, { accountId: person.id, reason: 'suspended' })
    throw new Failure('suspended')
  }
  const sessionId = await openSession(ctx, person.id, { ...device, client })
  const tokens = await issueTokenPair(ctx, person, { sessionId, deviceId: device.deviceId })
  if (!tokens) throw new Failure(invalidCredentials)
  return tokens
}

/** Returns null while another request is rotating the same token. */
export async function issueTokenPair(ctx: Ctx, person: Person, login: Session): Promise<Tokens | null> {
  const issued = await issueFor(ctx, person, login)
  if (!issued?.secret) return null
  const { sessionId, deviceId } = login
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
  }
}

/** Returns null while another request is rotating the same token. `secret` is null if no refresh token was issued. */
export async function issueFor(ctx: Ctx, person: Pick<Person, 'id' | 'role' | 'tokensVoidBefore'>, login: Session) {
  const { issueTokens, replayRotation } = await import('./auth.ts')
  await waitForNextSecond(ctx, person.tokensVoidBefore)
  const { sessionId, rotation, app } = login
  const user = { id: person.id, role: person.role }
  const issued = rotation?.rotated
    ? await replayRotation(ctx, rotation.tokenId)
    : await issueTokens(ctx, { user, sessionId, rotates: rotation?.tokenId, app })
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
async function recheck(
  ctx: Ctx,
  { id, tokensVoidBefore }: Pick<Person, 'id' | 'tokensVoidBefore'>,
  use: Use | undefined,
) {
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
  await directory.delete(refreshTokens).where(eq(refreshTokens.token, await hashToken(secret)))
}

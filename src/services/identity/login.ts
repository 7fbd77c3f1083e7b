import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx, Role } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { readSuspension } from '../accounts/queries.ts'
import { deletions } from '../privacy/tables.ts'
import { keepAccount } from './cancel-deletion.ts'
import { awaitingApproval, invalidCredentials } from './failures.ts'
import { loginPerNameLimit } from './limits.ts'
import { isNamed, nameOf } from './names.ts'
import { Password } from './password-rules.ts'
import { encodeRefreshToken } from './refresh-tokens.ts'
import { credentials, handles, users } from './tables.ts'
import { Identifier, type Tokens } from './views.ts'

export const Login = z
  .strictObject({
    identifier: Identifier,
    password: Password,
  })
  .openapi('Login')
type Login = z.infer<typeof Login>

/** An unknown name, an unverified address and a wrong password cost the same work and get the same response. */
export async function logIn(ctx: Ctx, { identifier, password }: Login): Promise<Tokens> {
  // Counted per name, not per account: a limit shared by handle and address would reveal that they belong together.
  await spend(ctx, loginPerNameLimit, await blindIndex(ctx.config, 'login', identifier))
  const { passwordMatches } = await import('./passwords.ts')
  const person = await findPerson(ctx, identifier)
  const matches = passwordMatches(ctx.config, password, person?.password ?? null)
  if (!person?.emailVerified || !matches) throw new Failure(invalidCredentials)
  if (person.approval) throw new Failure(awaitingApproval)
  const deletionCancelled = person.eraseAt !== null
  if (deletionCancelled) await keepAccount(ctx, person.id)
  return { ...(await startSession(ctx, person)), ...(deletionCancelled && { deletionCancelled }) }
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

type Person = { id: Id; handle: string; role: Role; tokensVoidBefore: number }
/** If the token was already `rotated`, the client gets the stored response of that rotation again. */
type Rotation = { sessionId: string; tokenId: string; rotated: boolean }
/** A login that goes on with new tokens, after its refresh tokens were deleted. */
type Renewal = { sessionId: string; tokenId?: undefined; rotated: false }

export async function startSession(ctx: Ctx, person: Person): Promise<Tokens> {
  const tokens = await issueTokenPair(ctx, person)
  if (!tokens) throw new Failure(invalidCredentials)
  return tokens
}

/** Returns null while another request is rotating the same token. */
export async function issueTokenPair(ctx: Ctx, person: Person, rotation?: Rotation | Renewal): Promise<Tokens | null> {
  if ((await readSuspension(ctx, person.id)) !== null) throw new Failure('suspended')
  const { issueTokens, replayRotation } = await import('./auth.ts')
  await waitForNextSecond(ctx, person.tokensVoidBefore)
  const user = { id: person.id, role: person.role }
  const issued = rotation?.rotated
    ? await replayRotation(ctx, rotation.tokenId)
    : await issueTokens(ctx, { user, sessionId: rotation?.sessionId, rotates: rotation?.tokenId })
  if (!issued) return null
  if (await revokedSince(ctx, person)) throw new Failure(invalidCredentials)
  return {
    accessToken: issued.accessToken,
    refreshToken: await encodeRefreshToken(ctx, issued.sessionId, issued.secret),
    tokenType: 'Bearer',
    expiresIn: issued.expiresIn,
    account: { id: person.id, handle: person.handle },
  }
}

/** Tokens store their issue time in whole seconds: one from the second of a revocation would be revoked too. */
async function waitForNextSecond(ctx: Ctx, time: number): Promise<void> {
  const next = (Math.floor(time / 1_000) + 1) * 1_000
  if (ctx.now() < next) await scheduler.wait(next - ctx.now())
}

/** Whether tokens were revoked while the new ones were issued. If so, the claims of the new ones may be outdated. */
async function revokedSince(ctx: Ctx, { id, tokensVoidBefore }: Person): Promise<boolean> {
  const [user] = await atPrimary(ctx)
    .directory.select({ now: users.tokensVoidBefore })
    .from(users)
    .where(eq(users.id, id))
  return user?.now !== tokensVoidBefore
}

import { z } from '@hono/zod-openapi'
import { and, eq, type SQL } from 'drizzle-orm'
import type { Ctx, Role } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/http/errors.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { readSuspension } from '../accounts/views.ts'
import { emailIndex } from './email.ts'
import { encodeRefreshToken } from './refresh-tokens.ts'
import { credentials, handles, users } from './tables.ts'
import type { Tokens } from './views.ts'

export const Login = z
  .strictObject({
    identifier: z
      .string()
      .max(254)
      .trim()
      .normalize('NFC')
      .toLowerCase()
      .openapi({ description: 'The handle or the e-mail address' }),
    password: z.string().max(256),
  })
  .openapi('Login')
type Login = z.infer<typeof Login>

/**
 * Logs in. Whoever is unknown, unverified or wrong about the password gets the same answer after the same work.
 * Throws `invalid_credentials`, `suspended`, or `rate_limited` when this name was tried too often, from wherever.
 */
export async function logIn(ctx: Ctx, { identifier, password }: Login): Promise<Tokens> {
  // Per name, not per account: a budget shared by handle and address would tell which of them belong together.
  await spend(ctx, 'loginPerName', await blindIndex(ctx.config, 'login', identifier))
  const { passwordMatches } = await import('./passwords.ts')
  const person = await findPerson(ctx, identifier)
  const matches = passwordMatches(ctx.config, password, person?.password ?? null)
  if (!person?.emailVerified || !matches) throw new Failure('invalid_credentials')
  return startSession(ctx, person)
}

async function findPerson(ctx: Ctx, identifier: string) {
  const named: SQL = identifier.includes('@')
    ? eq(users.email, await emailIndex(ctx, identifier))
    : eq(handles.handle, identifier)
  const [person] = await atPrimary(ctx)
    .directory.select({
      id: users.id,
      handle: handles.handle,
      role: users.role,
      emailVerified: users.emailVerified,
      tokensVoidBefore: users.tokensVoidBefore,
      password: credentials.password,
    })
    .from(users)
    .innerJoin(handles, eq(handles.accountId, users.id))
    .innerJoin(credentials, and(eq(credentials.userId, users.id), eq(credentials.providerId, 'credential')))
    .where(named)
  return person
}

/** Who is about to get tokens, as the directory has them. */
type Person = { id: Id; handle: string; role: Role; tokensVoidBefore: number }
/** A refresh token by its id, and whether it was rotated already: then it gives once more what it gave. */
type Rotation = { sessionId: string; tokenId: string; rotated: boolean }

/** The tokens of a person who has shown who they are. Throws `suspended`, or `invalid_credentials` when something changed. */
export async function startSession(ctx: Ctx, person: Person): Promise<Tokens> {
  const tokens = await issueTokenPair(ctx, person)
  if (!tokens) throw new Failure('invalid_credentials')
  return tokens
}

/** The first tokens of a login, or with `rotation` its next; null when they are being made by another request. */
export async function issueTokenPair(ctx: Ctx, person: Person, rotation?: Rotation): Promise<Tokens | null> {
  if ((await readSuspension(ctx, person.id)) !== null) throw new Failure('suspended')
  const { issueTokens, replayRotation } = await import('./auth.ts')
  await waitForNextSecond(ctx, person.tokensVoidBefore)
  const user = { id: person.id, role: person.role }
  const issued = rotation?.rotated
    ? await replayRotation(ctx, rotation.tokenId)
    : await issueTokens(ctx, { user, sessionId: rotation?.sessionId, rotates: rotation?.tokenId })
  if (!issued) return null
  if (await revokedSince(ctx, person)) throw new Failure('invalid_credentials')
  return {
    accessToken: issued.accessToken,
    refreshToken: await encodeRefreshToken(ctx, issued.sessionId, issued.secret),
    tokenType: 'Bearer',
    expiresIn: issued.expiresIn,
    account: { id: person.id, handle: person.handle },
  }
}

/** Tokens tell their time in seconds: one issued within the second in which others were made void would be void too. */
async function waitForNextSecond(ctx: Ctx, time: number): Promise<void> {
  const next = (Math.floor(time / 1_000) + 1) * 1_000
  if (ctx.now() < next) await scheduler.wait(next - ctx.now())
}

/** Whether a role was changed, or all logins ended, while the tokens were made: they may say what is no longer true. */
async function revokedSince(ctx: Ctx, { id, tokensVoidBefore }: Person): Promise<boolean> {
  const [user] = await atPrimary(ctx)
    .directory.select({ now: users.tokensVoidBefore })
    .from(users)
    .where(eq(users.id, id))
  return user?.now !== tokensVoidBefore
}

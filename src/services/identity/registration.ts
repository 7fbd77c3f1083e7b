import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { changed, refusals, valueIf, violates } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openShard, withFreshId } from '../../platform/data/shards.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { openAccount } from '../accounts/statements.ts'
import { Address, emailIndex, sealEmail } from './email.ts'
import { addressVerified } from './events.ts'
import { awaitingApproval, handleTaken, identityLinked, invalidCredentials, linkRequired } from './failures.ts'
import { noteFailure } from './guessing.ts'
import { holdsInvitation, InvitationCode, takenInvitation, useInvitation, wrongInvitation } from './invitations.ts'
import { registerLimit, verifyLimit } from './limits.ts'
import { NewPassword, Password, requireStrong } from './password-rules.ts'
import { requireOpen, requireTerms, TermsVersion } from './registration-rules.ts'
import { type Reservation, reserve } from './reservation.ts'
import { isReserved } from './reserved-handles.ts'
import { startSession } from './start-session.ts'
import { credentials, handles, users } from './tables.ts'
import { requireTurnstile, TurnstileToken } from './turnstile.ts'
import { destroyUnusedKeys } from './unused-keys.ts'
import { isExpired, isRegistrationToken, readVerificationToken, registrationToken } from './verification.ts'
import { type Tokens, TypedHandle } from './views.ts'

export const Registration = z
  .strictObject({
    handle: TypedHandle,
    email: Address,
    password: NewPassword,
    turnstileToken: TurnstileToken.optional(),
    termsVersion: TermsVersion.optional(),
    invitation: InvitationCode.optional(),
  })
  .openapi('Registration')
type Registration = z.infer<typeof Registration>

export const Registered = z
  .object({
    status: z.literal('verification_sent'),
    registrationToken: z.string().openapi({ description: 'With it, `verifyAddress` needs no password' }),
  })
  .openapi('Registered', { example: { registrationToken: 'Hq7sWc2nUe8vZ6yTjW4mRbX1sKdG7hPf' } })
type Registered = z.infer<typeof Registered>

/** New and known addresses run the same statements and get the same response, to hide which addresses are known. */
export async function register(ctx: Ctx, registration: Registration): Promise<Registered> {
  const { handle, email, password, turnstileToken, invitation } = registration
  requireOpen(ctx)
  requireTerms(ctx, registration.termsVersion)
  if (isReserved(handle)) throw invalid('handle', 'is reserved')
  await requireStrong(ctx, password, { handle, address: email })
  await requireTurnstile(ctx, turnstileToken, 'register')
  const address = await emailIndex(ctx, email)
  await spend(ctx, registerLimit, `address:${address}`) // protects an inbox from mails triggered by many clients
  const { hashPassword } = await import('./passwords.ts')
  const hash = hashPassword(ctx.config, password)
  const id = await reserveAccount(ctx, { handle, email, address, hash, invitation })
  return { status: 'verification_sent', registrationToken: await registrationToken(ctx, id) }
}

type Newcomer = Omit<Reservation, 'accountId' | 'sealed'> & { email: string }

/** Stores a new account, whose owner is not known to read the address yet. Returns its id. */
export function reserveAccount(ctx: Ctx, { email, ...newcomer }: Newcomer): Promise<Id> {
  return withFreshId(ctx, openShard(ctx), handles.accountId, async (accountId) => {
    const sealed = await sealEmail(ctx, accountId, email)
    await reserve(ctx, { accountId, sealed, ...newcomer })
      .catch(refuse)
      .catch((error: unknown) => {
        if (error instanceof Failure) ctx.defer(() => destroyUnusedKeys(ctx, [accountId]))
        throw error
      })
    return accountId
  })
}

function refuse(error: unknown): never {
  const taken = () => new Failure(handleTaken)
  if (violates(error, handles.handle)) throw taken()
  if (violates(error, credentials.providerId)) throw new Failure(identityLinked)
  return refusals({
    invitation: wrongInvitation,
    handle_taken: taken,
    address_taken: () => new Failure(linkRequired),
  })(error)
}

export const Verification = z
  .strictObject({
    token: z.string().max(120),
    registrationToken: z.string().max(60).optional().openapi({
      description: 'From the response of `register`, in the client that registered',
    }),
    password: Password.optional().openapi({ description: 'Required without a matching `registrationToken`' }),
  })
  .openapi('Verification')
type Verification = z.infer<typeof Verification>

export async function verifyAddress(ctx: Ctx, { token, ...proof }: Verification): Promise<Tokens> {
  if (isExpired(ctx, token)) {
    throw invalid('token', 'has expired after an hour, so the handle is no longer reserved for you; register again')
  }
  const pending = await readVerificationToken(ctx, token)
  if (pending) await requireRegistrant(ctx, pending, proof)
  const verified = pending && (await confirm(ctx, pending))
  if (verified?.approval) throw new Failure(awaitingApproval)
  if (!verified) throw invalid('token', 'is invalid, expired or already used; log in, or register again')
  await ctx.db.shardOf(verified.id).commit(openAccount(ctx.db.shardOf(verified.id), verified))
  return startSession(ctx, { ...verified, role: 'user', tokensVoidBefore: 0 })
}

/** The reader of the email may not be the person who registered: see docs/adr/0020-verify-without-the-password.md. */
async function requireRegistrant(
  ctx: Ctx,
  { accountId, hash }: { accountId: Id; hash: string | null },
  { registrationToken: given, password }: Omit<Verification, 'token'>,
): Promise<void> {
  if (given && (await isRegistrationToken(ctx, accountId, given))) return
  if (hash === null)
    throw invalid('registrationToken', 'is required: open the link in the browser in which you registered')
  if (password === undefined) throw invalid('password', 'is required, because you registered elsewhere')
  // Counted per account, and only for a valid token: nobody without the email can use up the attempts.
  const counted = await spend(ctx, verifyLimit, accountId)
  const { passwordMatches } = await import('./passwords.ts')
  if (passwordMatches(ctx.config, password, hash)) return
  await noteFailure(ctx, verifyLimit, counted, { accountId, step: 'verification' })
  throw new Failure(invalidCredentials)
}

async function confirm(
  ctx: Ctx,
  { accountId, address }: { accountId: Id; address: string },
): Promise<{ id: Id; handle: string; approval: string | null } | null> {
  const db = ctx.db.directory
  const client = await sealClient(ctx, accountId)
  const holds = holdsInvitation(ctx, accountId)
  const statements = [
    db
      .update(users)
      .set({ emailVerified: true, updatedAt: new Date(ctx.now()) })
      .where(and(eq(users.id, accountId), eq(users.email, address), eq(users.emailVerified, false)))
      .returning({ approval: users.approval }),
    db
      .update(handles)
      .set({ reservedUntil: holds ? valueIf(holds, null, 'invitation') : null })
      .where(and(eq(handles.accountId, accountId), changed))
      .returning({ handle: handles.handle }),
    record(db, addressVerified, { accountId, client }, changed),
    useInvitation(db, accountId),
  ] as const
  const [verified, confirmed] = await db.commit(statements).catch(refusals({ invitation: takenInvitation }))
  const [row] = confirmed
  return row ? { id: accountId, handle: row.handle, approval: verified[0]?.approval ?? null } : null
}

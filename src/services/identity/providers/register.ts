import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../../platform/context.ts'
import { Failure, invalid } from '../../../platform/failures.ts'
import { spend } from '../../../platform/security/rate-limit.ts'
import { openAccount } from '../../accounts/statements.ts'
import { Address, emailIndex } from '../email.ts'
import { awaitingApproval, verificationRequired } from '../failures.ts'
import { InvitationCode } from '../invitations.ts'
import { registerLimit } from '../limits.ts'
import { reserveAccount } from '../registration.ts'
import { registrationFields, requireOpen, requireTerms, TermsVersion } from '../registration-rules.ts'
import { isReserved } from '../reserved-handles.ts'
import { startSession } from '../start-session.ts'
import { registrationToken } from '../verification.ts'
import { type Tokens, TypedHandle } from '../views.ts'
import { readRegistrationToken } from './registration-token.ts'

export const ProviderRegistration = z
  .strictObject({
    token: z.string().max(3_000).openapi({ description: 'From `registration` of `registration_required`' }),
    handle: TypedHandle,
    email: Address.optional().openapi({
      description: 'Another address than that of the provider; it must be verified',
    }),
    invitation: InvitationCode.optional(),
    termsVersion: TermsVersion.optional(),
  })
  .openapi('ProviderRegistration')
type ProviderRegistration = z.infer<typeof ProviderRegistration>

/** Logs in if the provider has verified the address. Otherwise throws `verification_required`, whatever the address is. */
export async function registerWithProvider(ctx: Ctx, registration: ProviderRegistration): Promise<Tokens> {
  const { handle, invitation } = registration
  requireOpen(ctx)
  requireTerms(ctx, registration.termsVersion)
  if (isReserved(handle)) throw invalid('handle', 'is reserved')
  const proof = await readRegistrationToken(ctx, registration.token)
  const email = registration.email ?? proof.email
  if (email === null) throw invalid('email', 'is required, because the provider names none')
  const isVerified = proof.isVerified && email === proof.email
  const address = await emailIndex(ctx, email)
  await spend(ctx, registerLimit, `address:${address}`)
  const id = await reserveAccount(ctx, {
    handle,
    email,
    address,
    hash: null,
    invitation,
    proof: { ...proof, isVerified },
  })
  if (!isVerified) {
    const members = { registrationToken: await registrationToken(ctx, id) }
    throw new Failure(verificationRequired, undefined, { members })
  }
  if (registrationFields(ctx).approval) throw new Failure(awaitingApproval)
  const shard = ctx.db.shardOf(id)
  await shard.commit(openAccount(shard, { id, handle }))
  return startSession(ctx, { id, handle, role: 'user', tokensVoidBefore: 0 })
}

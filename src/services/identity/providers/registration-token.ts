import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../../platform/context.ts'
import { Failure, invalid } from '../../../platform/failures.ts'
import type { PendingRegistration } from '../../../platform/http/pending-registration.ts'
import { open, seal } from '../../../platform/security/crypto.ts'
import { registrationRequired } from '../failures.ts'
import { PROVIDER_REGISTRATION_MINUTES } from '../lifetimes.ts'
import { isReserved } from '../reserved-handles.ts'
import { Handle } from '../views.ts'
import { addressIn, identityOf } from './identities.ts'
import type { Claims } from './protocol.ts'
import type { Provider } from './provider-list.ts'

const CONTEXT = 'registration with a provider'

const Proof = z.object({
  identity: z.object({ issuer: z.string(), subject: z.string() }),
  provider: z.string(),
  email: z.string().nullable(),
  isVerified: z.boolean(),
  until: z.number(),
})
type Proof = z.infer<typeof Proof>

/** `registration_required`, with a token that proves the identity. Using it twice fails, because an identity is unique. */
export async function registrationFailure(ctx: Ctx, provider: Provider, claims: Claims): Promise<Failure> {
  const { email, isVerified } = addressIn(claims)
  const until = ctx.now() + PROVIDER_REGISTRATION_MINUTES * 60_000
  const proof: Proof = { identity: identityOf(provider, claims), provider: provider.name, email, isVerified, until }
  const registration: PendingRegistration = {
    token: await seal(ctx.config, JSON.stringify(proof), CONTEXT),
    handle: suggestedHandle(claims),
    displayName: claims.name ?? null,
    email,
    isEmailVerified: isVerified,
  }
  return new Failure(registrationRequired, undefined, { members: { registration } })
}

export async function readRegistrationToken(ctx: Ctx, token: string): Promise<Proof> {
  const text = await open(ctx.config, token, CONTEXT).catch(() => null)
  if (text === null) throw invalid('token', 'is not one that was issued here; log in with the provider again')
  const proof = Proof.parse(JSON.parse(text))
  if (ctx.now() > proof.until) throw invalid('token', 'has expired; log in with the provider again')
  return proof
}

function suggestedHandle({ preferred_username: username, email, name }: Claims): string | null {
  const wanted = [username?.split('@')[0], email?.split('@')[0], name]
  const handles = wanted.flatMap((text) => {
    const plain = (text ?? '').normalize('NFKD').replace(/\p{M}/gu, '').replace(/\W+/g, '_').slice(0, 30)
    return Handle.safeParse(plain.replace(/^_+|_+$/g, '')).data ?? []
  })
  return handles.find((handle) => !isReserved(handle)) ?? null
}

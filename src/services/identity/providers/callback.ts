import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../../platform/context.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import { Failure, invalid } from '../../../platform/failures.ts'
import { readSuspension } from '../../accounts/queries.ts'
import { DeviceToken, decodeDeviceToken } from '../device-tokens.ts'
import { emailIndex } from '../email.ts'
import { finishFirstFactor } from '../factors/finish-login.ts'
import { TypedCode } from '../factors/proofs.ts'
import { linkRequired } from '../failures.ts'
import { confirmBy } from '../fresh-login.ts'
import { findForLogin, trustedDeviceOf } from '../people.ts'
import { credentials, users } from '../tables.ts'
import type { Tokens } from '../views.ts'
import { callbackShape, readFlow } from './flows.ts'
import { addressIn, type Identity, identityOf, isIdentity, isLinkedTo } from './identities.ts'
import { linkIdentity } from './links.ts'
import { type Claims, redeemCode } from './protocol.ts'
import type { Provider } from './provider-list.ts'
import { registrationFailure } from './registration-token.ts'

export const ProviderLogin = z
  .strictObject({ ...callbackShape, deviceToken: DeviceToken.optional() })
  .openapi('ProviderLogin')
type ProviderLogin = z.infer<typeof ProviderLogin>

/** Logs in, unless no account is linked to the identity: then `registration_required` has what a registration needs. */
export async function logInWithProvider(ctx: Ctx, { deviceToken, ...callback }: ProviderLogin): Promise<Tokens> {
  const { flow, provider } = await readFlow(ctx, callback, ['login'])
  const claims = await redeemCode(ctx, provider, flow, callback)
  const identity = identityOf(provider, claims)
  const person = await findForLogin(ctx, isLinkedTo(identity))
  if (!person?.emailVerified) return refuseUnknown(ctx, provider, claims)
  await noteUse(ctx, identity)
  const device = await decodeDeviceToken(ctx, deviceToken)
  return finishFirstFactor(ctx, person, trustedDeviceOf(device, person))
}

/** Only who has proved to own the address learns that it has an account. */
async function refuseUnknown(ctx: Ctx, provider: Provider, claims: Claims): Promise<never> {
  const { email, isVerified } = addressIn(claims)
  if (email !== null && isVerified) {
    const own = and(eq(users.email, await emailIndex(ctx, email)), eq(users.emailVerified, true))
    if ((await atPrimary(ctx).directory.$count(users, own)) > 0) throw new Failure(linkRequired)
  }
  throw await registrationFailure(ctx, provider, claims)
}

async function noteUse(ctx: Ctx, identity: Identity): Promise<void> {
  const used = { updatedAt: new Date(ctx.now()) }
  await ctx.db.directory.update(credentials).set(used).where(isIdentity(identity))
}

export const ProviderFinish = z
  .strictObject({
    ...callbackShape,
    secondFactor: TypedCode.optional().openapi({
      description: 'To confirm the login of an account that has a second factor, besides a passkey',
    }),
  })
  .openapi('ProviderCallback')
type ProviderFinish = z.infer<typeof ProviderFinish>

/** Links the identity to the account, or confirms the login with an identity that is linked to it. */
export async function finishProviderFlow(ctx: UserCtx, { secondFactor, ...callback }: ProviderFinish): Promise<void> {
  const { flow, provider } = await readFlow(ctx, callback, ['link', 'confirm'])
  const prove = async () => identityOf(provider, await redeemCode(ctx, provider, flow, callback))
  if (flow.purpose === 'confirm') {
    return confirmBy(ctx, secondFactor, async () => requireOwn(ctx, provider, await prove()))
  }
  if ((await readSuspension(ctx, ctx.viewer.id)) !== null) throw new Failure('suspended')
  return linkIdentity(ctx, provider, await prove())
}

async function requireOwn(ctx: UserCtx, provider: Provider, identity: Identity): Promise<void> {
  const own = and(isIdentity(identity), eq(credentials.userId, ctx.viewer.id))
  const isOwn = (await atPrimary(ctx).directory.$count(credentials, own)) > 0
  if (!isOwn) throw invalid('code', `proves an identity at ${provider.name} that is not linked to your account`)
  await noteUse(ctx, identity)
}

import type { Ctx, UserCtx } from '../../../platform/context.ts'
import { Failure } from '../../../platform/failures.ts'
import { readFactors } from '../factors/factors.ts'
import { loginProviders } from '../variables.ts'
import { newFlow, type Purpose, providerOf, sealFlow } from './flows.ts'
import { authorizationUrl } from './protocol.ts'
import type { LoginProviders, ProviderFlow } from './views.ts'

type Named = { providerId: string }

export function listLoginProviders(ctx: Ctx): LoginProviders {
  return { items: loginProviders(ctx).map(({ id, name }) => ({ id, name })) }
}

export const startProviderLogin = (ctx: Ctx, named: Named) => start(ctx, named, 'login')
export const startProviderLink = (ctx: UserCtx, named: Named) => start(ctx, named, 'link')

export async function startProviderConfirmation(ctx: UserCtx, named: Named): Promise<ProviderFlow> {
  await requireNoSecondFactor(ctx)
  return start(ctx, named, 'confirm')
}

/** Confirming needs as much as logging in, and who has a second factor can confirm with that. */
export async function requireNoSecondFactor(ctx: UserCtx): Promise<void> {
  const { isOn } = await readFactors(ctx, ctx.viewer.id)
  if (isOn) throw new Failure('forbidden', 'your account has a second factor: confirm with it')
}

/** Stores nothing: the flow contains all that the callback needs, and only its use is stored. */
async function start(ctx: Ctx, { providerId }: Named, purpose: Purpose): Promise<ProviderFlow> {
  const provider = providerOf(ctx, providerId)
  const flow = newFlow(ctx, provider, purpose)
  return { url: await authorizationUrl(ctx, provider, flow), flow: await sealFlow(ctx, flow) }
}

import type { Ctx, UserCtx } from '../../../platform/context.ts'
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

export const startProviderConfirmation = (ctx: UserCtx, named: Named) => start(ctx, named, 'confirm')

/** Stores nothing: the flow contains all that the callback needs, and only its use is stored. */
async function start(ctx: Ctx, { providerId }: Named, purpose: Purpose): Promise<ProviderFlow> {
  const provider = providerOf(ctx, providerId)
  const flow = newFlow(ctx, provider, purpose)
  return { url: await authorizationUrl(ctx, provider, flow), flow: await sealFlow(ctx, flow) }
}

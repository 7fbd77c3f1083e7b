import type { Client, SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { sealFor } from '../../platform/security/account-keys.ts'

const CONTEXT = 'client'

/** What the request reveals about its client, encrypted with the key of the account. For events and stored logins. */
export function sealClient(ctx: SystemCtx & { client?: Client }, accountId: Id): Promise<string> {
  const { address = null, userAgent = null, place = null }: Partial<Client> = ctx.client ?? {}
  return sealFor(ctx, accountId, JSON.stringify({ address, userAgent, place }), CONTEXT)
}

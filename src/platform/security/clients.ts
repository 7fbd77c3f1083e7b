import type { Client, Ctx, UserCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { sealFor } from './account-keys.ts'

const CONTEXT = 'client'
const MAX_USER_AGENT = 500

/** Encrypts the client of this request with the key of the account. Returns null outside of a request. */
export async function sealClient({ client, ...ctx }: Ctx, accountId: Id): Promise<string | null> {
  if (!client) return null
  const { address, place } = client
  const details: Client = { address, userAgent: client.userAgent?.slice(0, MAX_USER_AGENT) ?? null, place }
  return sealFor(ctx, accountId, JSON.stringify(details), CONTEXT)
}

/** Who makes this request, for the data of an audited event. */
export async function actorOf(ctx: UserCtx): Promise<{ actorId: Id; client: string | null }> {
  return { actorId: ctx.viewer.id, client: await sealClient(ctx, ctx.viewer.id) }
}

import { z } from '@hono/zod-openapi'
import type { Ctx, SystemCtx, UserCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { openAllFor, sealFor } from './account-keys.ts'
import { deviceNameOf } from './user-agents.ts'

const CONTEXT = 'client'

/** What the owner of an account may see of a client that used it. */
const ClientDetails = z.object({
  address: z.string().nullable(),
  device: z.string().nullable().default(null),
  place: z.string().nullable(),
})
export type ClientDetails = z.infer<typeof ClientDetails>

/** The client of this request, encrypted with the key of the account; null outside of a request, or while R2 is down. */
export async function sealClient({ client, ...ctx }: Ctx, accountId: Id): Promise<string | null> {
  if (!client) return null
  const { address, userAgent, place } = client
  const details: ClientDetails = { address, device: deviceNameOf(userAgent), place }
  return sealFor(ctx, accountId, JSON.stringify(details), CONTEXT).catch((error: unknown) => {
    ctx.log.warn('the client of a request cannot be sealed', { error })
    return null
  })
}

/** Who makes this request, for the data of an audited event. */
export async function actorOf(ctx: UserCtx): Promise<{ actorId: Id; client: string | null }> {
  return { actorId: ctx.viewer.id, client: await sealClient(ctx, ctx.viewer.id) }
}

/** Decrypts what `sealClient` returned, with one read of the key. A client is null if the key was destroyed. */
export async function openClients(
  ctx: SystemCtx,
  accountId: Id,
  sealed: readonly (string | null)[],
): Promise<(ClientDetails | null)[]> {
  const opened = await openAllFor(ctx, accountId, sealed, CONTEXT)
  return opened.map((plain) => (plain === null ? null : ClientDetails.parse(JSON.parse(plain))))
}

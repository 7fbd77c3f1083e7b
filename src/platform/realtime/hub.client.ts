import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../context.ts'
import { Id } from '../data/ids.ts'
import { settleConcurrently } from '../data/shards.ts'
import { withTimeout } from '../timeout.ts'
import type { HubFrame } from './hub-frames.ts'
import { hubName, hubs } from './hubs.ts'

/** The login of a socket or ticket. `issuedAt` is when its access token was issued, epoch ms. */
const Login = z.object({ sessionId: z.string(), issuedAt: z.number() })
export type Login = z.infer<typeof Login>

/** `since` is the `seq` of the last frame that the client received; null if it received none. */
export const Opening = Login.extend({
  accountId: Id,
  channels: z.array(z.string()),
  scopes: z.array(z.string()),
  since: z.int().nullable(),
})
export type Opening = z.infer<typeof Opening>

/** Revokes these logins, or every token issued at or before a time; and the API keys created until `keysBefore` (epoch ms). */
export type Revocation = ({ sessionIds: readonly string[] } | { before: number }) & { keysBefore?: number }

export const TICKET_LIFE_S = 30
const PUBLISH_TIMEOUT_MS = 5_000

const hubOf = (ctx: SystemCtx, accountId: Id) => ctx.env.HUB.getByName(hubName(ctx, accountId))

/** Gives the frames to all of these hubs. Then throws if one of them has failed: repeat the call, which is idempotent. */
export async function publishToHubs(ctx: SystemCtx, names: readonly string[], frames: readonly HubFrame[]) {
  await settleConcurrently(names, (name) => {
    return withTimeout(ctx.env.HUB.getByName(name).publish(frames), PUBLISH_TIMEOUT_MS)
  })
}

/** Lets the account's hub read again whom the account follows. When this returns, later posts go to the right sockets. */
export async function refreshHub(ctx: SystemCtx, accountId: Id): Promise<void> {
  await hubOf(ctx, accountId).refresh(accountId)
}

/** Whether the account has a socket, or had one within the last minute. A hub that does not answer counts as none. */
export async function isOnline(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const name = hubName(ctx, accountId)
  const [active] = await ctx.db.shardOf(accountId).select({ name: hubs.name }).from(hubs).where(eq(hubs.name, name))
  if (!active) return false
  const asking = withTimeout(hubOf(ctx, accountId).online([accountId]), PUBLISH_TIMEOUT_MS)
  const online = await asking.catch((error: unknown) => ctx.log.warn('a hub did not answer', { error }))
  return online?.length === 1
}

/** For verbs, after their commit: a failure is left to the subscription that repeats the refresh. */
export async function tryRefreshHub(ctx: SystemCtx, accountId: Id, active: readonly { name: string }[]): Promise<void> {
  if (!active.some(({ name }) => name === hubName(ctx, accountId))) return
  await withTimeout(refreshHub(ctx, accountId), PUBLISH_TIMEOUT_MS).catch((error: unknown) =>
    ctx.log.warn('a hub was not refreshed', { accountId, error }),
  )
}

/** Closes the revoked sockets, and prevents their tokens from opening new ones. */
export async function closeSockets(ctx: SystemCtx, accountId: Id, reason: string, revoked: Revocation): Promise<void> {
  await hubOf(ctx, accountId).closeRevoked(accountId, reason, revoked)
}

export async function eraseFromHub(ctx: SystemCtx, accountId: Id): Promise<void> {
  await hubOf(ctx, accountId).erase(accountId)
}

/** The secret of a ticket that opens one socket within `TICKET_LIFE_S`. */
export async function issueTicketSecret(ctx: SystemCtx, accountId: Id, login: Login): Promise<string> {
  return hubOf(ctx, accountId).issueTicket(accountId, login)
}

/** Consumes a ticket. Returns the login that it was issued to, or null if it is invalid, used or expired. */
export async function redeemTicketSecret(ctx: SystemCtx, accountId: Id, secret: string): Promise<Login | null> {
  return hubOf(ctx, accountId).redeemTicket(accountId, secret)
}

/** Returns 101 with the socket, 401 if the login was revoked, or 429 if too many sockets are open. */
export async function openSocket(ctx: SystemCtx, opening: Opening): Promise<Response> {
  const headers = { upgrade: 'websocket', opening: JSON.stringify(opening) }
  return hubOf(ctx, opening.accountId).fetch('https://hub/', { headers })
}

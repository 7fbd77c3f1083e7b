import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../context.ts'
import { Id } from '../data/ids.ts'

/** The login of a socket or ticket. `issuedAt` is when its access token was issued, epoch ms. */
const Login = z.object({ sessionId: z.string(), issuedAt: z.number() })
export type Login = z.infer<typeof Login>

/** `since` is the `seq` of the last frame that the client received; null if it received none. */
export const Opening = Login.extend({ accountId: Id, channels: z.array(z.string()), since: z.int().nullable() })
export type Opening = z.infer<typeof Opening>

/** Revokes these logins, or every token issued at or before a time (epoch ms). */
export type Revocation = { sessionIds: readonly string[] } | { before: number }

/** A frame is ignored if the hub still stores one with the same `key`. */
export type OutgoingFrame = { channel: string; key: string; event: string; data: unknown }

export const TICKET_LIFE_S = 30

const hubOf = (ctx: SystemCtx, accountId: Id) => ctx.env.HUB.getByName(accountId)

export async function publishToHub(ctx: SystemCtx, accountId: Id, frame: OutgoingFrame): Promise<void> {
  await hubOf(ctx, accountId).publish(frame)
}

/** Closes the revoked sockets, and prevents their tokens from opening new ones. */
export async function closeSockets(ctx: SystemCtx, accountId: Id, reason: string, revoked: Revocation): Promise<void> {
  await hubOf(ctx, accountId).closeRevoked(reason, revoked)
}

export async function eraseHub(ctx: SystemCtx, accountId: Id): Promise<void> {
  await hubOf(ctx, accountId).erase()
}

/** The secret of a ticket that opens one socket within `TICKET_LIFE_S`. */
export async function issueTicketSecret(ctx: SystemCtx, accountId: Id, login: Login): Promise<string> {
  return hubOf(ctx, accountId).issueTicket(login)
}

/** Consumes a ticket. Returns the login that it was issued to, or null if it is invalid, used or expired. */
export async function redeemTicketSecret(ctx: SystemCtx, accountId: Id, secret: string): Promise<Login | null> {
  return hubOf(ctx, accountId).redeemTicket(secret)
}

/** Returns 101 with the socket, 401 if the login was revoked, or 429 if too many sockets are open. */
export async function openSocket(ctx: SystemCtx, opening: Opening): Promise<Response> {
  const headers = { upgrade: 'websocket', opening: JSON.stringify(opening) }
  return hubOf(ctx, opening.accountId).fetch('https://hub/', { headers })
}

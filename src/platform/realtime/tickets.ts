import type { UserCtx } from '../context.ts'
import { Id } from '../data/ids.ts'
import { requireActiveLogin } from '../security/access.ts'
import { accountStatus, forgetStatus } from '../security/account-status.ts'
import type { RequestCtx } from '../security/admit.ts'
import { sign, verifySignature } from '../security/crypto.ts'
import { isApiKey } from '../security/key-logins.ts'
import { spend, userLimit } from '../security/rate-limit.ts'
import { unauthorized } from '../security/tokens.ts'
import { issueTicketSecret, redeemTicketSecret, TICKET_LIFE_S } from './hub.client.ts'
import type { Listener } from './open-channels.ts'

const PURPOSE = 'ticket'

/** A ticket opens one socket. It is signed, so that a forged ticket neither wakes nor creates a hub, nor adds scopes. */
export async function createTicket(
  ctx: UserCtx,
  useful: readonly string[],
): Promise<{ ticket: string; expiresIn: number }> {
  const { id, sessionId, issuedAt, scopes } = ctx.viewer
  const granted = useful.filter((scope) => scopes.has(scope)).join('+')
  const ticket = `${id}.${await issueTicketSecret(ctx, id, { sessionId, issuedAt })}.${granted}`
  return { ticket: `${ticket}.${await sign(ctx.config, PURPOSE, ticket)}`, expiresIn: TICKET_LIFE_S }
}

/** Consumes a ticket. Throws `unauthorized`, `suspended`, `rate_limited` or `unavailable`. */
export async function redeemTicket(ctx: RequestCtx, ticket: string): Promise<Listener> {
  const [account, secret, granted = '', signature] = ticket.split('.')
  const id = Id.safeParse(account)
  const isValid = await verifySignature(ctx.config, PURPOSE, `${account}.${secret}.${granted}`, signature ?? '')
  if (!id.success || !secret || !isValid) throw unauthorized('The ticket is invalid')
  const login = await redeemTicketSecret(ctx, id.data, secret)
  if (login === null) throw unauthorized('The ticket is invalid')
  if (isApiKey(login)) forgetStatus(ctx, id.data) // its list of keys may be older than this one
  await spend(ctx, userLimit, id.data)
  requireActiveLogin(login, await accountStatus(ctx, { id: id.data, ...login }))
  return { id: id.data, ...login, scopes: new Set(granted.split('+')) }
}

import type { Id } from '../data/ids.ts'
import { mapConcurrently } from '../data/shards.ts'
import { Failure } from '../failures.ts'
import type { RequestCtx } from '../security/admit.ts'
import { unauthorized } from '../security/tokens.ts'
import type { Channel } from './channels.ts'
import { type Login, openSocket } from './user-hub.client.ts'

type Wanted = { known: readonly Channel[]; wanted?: string[]; since: number | null }

/** A login, and the scopes of the token or ticket that opens its socket. */
export type Listener = Login & { id: Id; scopes: ReadonlySet<string> }

/**
 * Opens a socket of a login, on the wanted channels or all that it may join. The response has status 101. Throws
 * `forbidden` or `insufficient_scope` for a channel, `unauthorized` if the login was revoked, `rate_limited` if too many sockets are open.
 */
export async function openChannels(ctx: RequestCtx, login: Listener, { known, wanted, since }: Wanted) {
  const { id: accountId, sessionId, issuedAt } = login
  const channels = await channelsOf(ctx, login, known, wanted)
  const response = await openSocket(ctx, { accountId, sessionId, issuedAt, channels, since })
  if (response.status === 401) throw unauthorized()
  if (response.status !== 101)
    throw new Failure('rate_limited', 'Too many sockets are open', { headers: { 'retry-after': '60' } })
  return response
}

/** The wanted channels, or all that the login may join. */
async function channelsOf(ctx: RequestCtx, { id, scopes }: Listener, known: readonly Channel[], wanted?: string[]) {
  const asked = known.filter(({ name }) => !wanted || wanted.includes(name))
  const candidates = asked.filter(({ scope }) => scopes.has(scope))
  const lacking = wanted && asked.find(({ scope }) => !scopes.has(scope))
  if (lacking) throw new Failure('insufficient_scope', `The channel ${lacking.name} needs the scope ${lacking.scope}`)
  const decisions = await mapConcurrently(candidates, async (channel) => ({
    channel,
    joins: await channel.mayJoin(ctx, id),
  }))
  const joined = decisions.filter(({ joins }) => joins).map(({ channel }) => channel.name)
  if (wanted && joined.length < candidates.length) throw new Failure('forbidden', 'You may not join this channel')
  return joined
}

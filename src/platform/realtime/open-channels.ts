import type { Id } from '../data/ids.ts'
import { mapConcurrently } from '../data/shards.ts'
import { Failure } from '../failures.ts'
import type { RequestCtx } from '../security/admit.ts'
import { unauthorized } from '../security/tokens.ts'
import { type Channel, channelNamed, isShared, scopesOf } from './channels.ts'
import { type Login, openSocket } from './hub.client.ts'

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
  const scopes = scopesOf(known).filter((scope) => login.scopes.has(scope))
  const response = await openSocket(ctx, { accountId, sessionId, issuedAt, channels, scopes, since })
  if (response.status === 401) throw unauthorized()
  if (response.status !== 101)
    throw new Failure('rate_limited', 'Too many sockets are open', { headers: { 'retry-after': '60' } })
  return response
}

/** The names of the wanted channels, or of all that the login may join, without those that have a key. */
async function channelsOf(ctx: RequestCtx, { id, scopes }: Listener, known: readonly Channel[], wanted?: string[]) {
  const offered = known.filter((each) => !isShared(each) && scopes.has(each.scope))
  const candidates = wanted ? [...new Set(wanted)] : offered.map(({ name }) => name)
  const decisions = await mapConcurrently(candidates, async (name) => {
    const found = channelNamed(known, name)
    if (found !== null && !scopes.has(found.channel.scope))
      throw new Failure('insufficient_scope', `The channel ${name} needs the scope ${found.channel.scope}`)
    return found !== null && (await found.channel.mayJoin(ctx, id, found.key)) ? [name] : []
  })
  const joined = decisions.flat()
  if (wanted && joined.length < candidates.length) throw new Failure('forbidden', 'You may not join this channel')
  return joined
}

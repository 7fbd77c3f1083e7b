import type { Id } from '../data/ids.ts'
import { mapConcurrently } from '../data/shards.ts'
import { Failure } from '../failures.ts'
import type { RequestCtx } from '../security/admit.ts'
import { unauthorized } from '../security/tokens.ts'
import { type Channel, channelNamed, isShared } from './channels.ts'
import { type Login, openSocket } from './hub.client.ts'

type Wanted = { known: readonly Channel[]; wanted?: string[]; since: number | null }

/**
 * Opens a socket of a login, on the wanted channels or all that its account may join. The response has status 101.
 * Throws `forbidden` for a channel, `unauthorized` if the login was revoked, `rate_limited` if too many sockets are open.
 */
export async function openChannels(ctx: RequestCtx, login: Login & { id: Id }, { known, wanted, since }: Wanted) {
  const { id: accountId, sessionId, issuedAt } = login
  const channels = await channelsOf(ctx, accountId, known, wanted)
  const response = await openSocket(ctx, { accountId, sessionId, issuedAt, channels, since })
  if (response.status === 401) throw unauthorized()
  if (response.status !== 101)
    throw new Failure('rate_limited', 'Too many sockets are open', { headers: { 'retry-after': '60' } })
  return response
}

/** The names of the wanted channels, or of all that the account may join, without those that have a key. */
async function channelsOf(ctx: RequestCtx, accountId: Id, known: readonly Channel[], wanted?: string[]) {
  const candidates = wanted ? [...new Set(wanted)] : known.filter((each) => !isShared(each)).map(({ name }) => name)
  const decisions = await mapConcurrently(candidates, async (name) => {
    const found = channelNamed(known, name)
    return found !== null && (await found.channel.mayJoin(ctx, accountId, found.key)) ? [name] : []
  })
  const joined = decisions.flat()
  if (wanted && joined.length < candidates.length) throw new Failure('forbidden', 'You may not join this channel')
  return joined
}

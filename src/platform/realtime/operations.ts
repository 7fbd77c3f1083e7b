import { z } from '@hono/zod-openapi'
import type { Config } from '../config.ts'
import { queryInteger } from '../data/query-integer.ts'
import { Failure, invalid } from '../failures.ts'
import { type Operation, operation, responder } from '../http/operation.ts'
import type { RequestCtx } from '../security/admit.ts'
import { defineScope } from '../security/scopes.ts'
import { tokenMissing } from '../security/tokens.ts'
import { type Channel, channelNamed, scopesOf } from './channels.ts'
import { TICKET_LIFE_S } from './hub.client.ts'
import { MAX_CHANNELS } from './hub-messages.ts'
import { openChannels } from './open-channels.ts'
import { createTicket, redeemTicket } from './tickets.ts'

const realtime = defineScope('realtime', 'Receive live updates')

const Ticket = z
  .object({ ticket: z.string(), expiresIn: z.int().openapi({ description: 'Seconds until the ticket expires' }) })
  .openapi('RealtimeTicket', { example: { ticket: '1970324836974593.Tq8mWv3x.Ks6nRb1z', expiresIn: TICKET_LIFE_S } })
export const SocketQuery = z.strictObject({
  ticket: z.string().max(200).optional().openapi({ description: 'From `createRealtimeTicket`' }),
  channels: z
    .string()
    .max(1_000)
    .optional()
    .openapi({ description: 'Comma-separated; by default, all channels that you may join' }),
  since: queryInteger().optional().openapi({ description: 'The `seq` of the last frame that you received' }),
})
type SocketQuery = z.infer<typeof SocketQuery>

/** Relative to the mount of the service. */
export const SOCKET_PATH = '/realtime'

/** The operations of the socket. `/asyncapi.json` describes its frames. */
export function realtimeOperations(channels: readonly Channel[]): Operation[] {
  const scopes = scopesOf(channels)
  return [
    operation({
      id: 'createRealtimeTicket',
      method: 'post',
      path: '/realtime/tickets',
      restOnly: 'It opens a WebSocket; GraphQL has subscriptions',
      access: 'user',
      scope: realtime,
      returns: Ticket,
      status: 201,
      location: () => SOCKET_PATH,
      noRpc: 'A ticket opens the socket of a client',
      summary: `Get a ticket that opens one socket within ${TICKET_LIFE_S} seconds`,
      description: 'The socket and its frames are described by [/asyncapi.json](/asyncapi.json).',
      run: (ctx) => createTicket(ctx, scopes),
    }),
    responder({
      id: 'openRealtime',
      isSocket: true,
      method: 'get',
      path: SOCKET_PATH,
      restOnly: 'It upgrades to a WebSocket; GraphQL has subscriptions',
      effect: 'It marks the account as online',
      access: 'public',
      scope: realtime,
      query: SocketQuery,
      status: 101,
      fails: ['bad_request', 'forbidden', 'insufficient_scope'],
      summary: 'Open the WebSocket, with a token or a ticket',
      respond: (ctx, query, request) => openRealtime(ctx, query, request, channels),
    }),
  ]
}

async function openRealtime(ctx: RequestCtx, query: SocketQuery, request: Request, known: readonly Channel[]) {
  if (request.method !== 'GET' || request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
    throw new Failure('bad_request', 'This operation requires a WebSocket upgrade')
  requireAllowedOrigin(ctx.config, request)
  const names = known.map(({ name }) => name)
  const wanted = query.channels?.split(',')
  if (wanted && wanted.length > MAX_CHANNELS) throw invalid('channels', `may contain at most ${MAX_CHANNELS} names`)
  if (wanted?.some((name) => !channelNamed(known, name)))
    throw invalid('channels', `may contain only: ${names.join(', ')}`)
  const viewer = query.ticket === undefined ? ctx.viewer : await redeemTicket(ctx, query.ticket)
  if (viewer === null) throw tokenMissing()
  const response = await openChannels(ctx, viewer, { known, wanted, since: query.since ?? null })
  return new Response(null, response) // a copy, because the headers of a fetched response are immutable
}

const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/** Refuses pages of other, unlisted origins (RFC 6455, 10.2). Clients without an origin, such as native apps, pass. */
function requireAllowedOrigin({ ENVIRONMENT, BASE_URL, REALTIME_ORIGINS }: Config, request: Request): void {
  const origin = request.headers.get('origin')
  if (origin === null || [BASE_URL, new URL(request.url).origin, ...REALTIME_ORIGINS].includes(origin)) return
  if (ENVIRONMENT === 'development' && LOOPBACK.test(origin)) return
  throw new Failure('forbidden', 'This origin may not open sockets; ask the operator to add it to REALTIME_ORIGINS')
}

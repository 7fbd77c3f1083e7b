import { z } from '@hono/zod-openapi'
import type { Config } from '../config.ts'
import type { Ctx, SystemCtx, UserCtx, Viewer } from '../context.ts'
import { Id } from '../data/ids.ts'
import { Failure, invalid } from '../http/errors.ts'
import { route, routes } from '../http/route.ts'
import { requireActiveLogin, type Scope } from '../security/access.ts'
import { sign, verifySignature } from '../security/crypto.ts'
import { spend } from '../security/rate-limit.ts'
import { tokenMissing, unauthorized } from '../security/tokens.ts'
import type { Opening, Shut } from './user-hub.object.ts'

const SCOPE: Scope = 'realtime'
const TICKET = 'ticket'

type Login = Pick<Viewer, 'id' | 'sessionId' | 'issuedAt'>

/**
 * Sends a frame to an account's open sockets on `channel`. `key` names the occurrence: publishing it again does nothing.
 * `data` holds ids; whoever receives them reads the things, and is asked again whether it may.
 */
export async function publish(
  ctx: SystemCtx,
  accountId: Id,
  frame: { channel: string; key: string; event: string; data: unknown },
): Promise<void> {
  ctx.cost.objectCalls += 1
  await ctx.env.HUB.getByName(accountId).publish(frame.channel, frame.key, frame.event, frame.data)
}

/** Closes the sockets that `shut` says, and lets their tokens open no others. */
export async function closeSockets(ctx: SystemCtx, accountId: Id, reason: string, shut: Shut): Promise<void> {
  ctx.cost.objectCalls += 1
  await ctx.env.HUB.getByName(accountId).closeRevoked(reason, shut)
}

/**
 * A ticket that opens one socket within 30 seconds, as `accountId.secret.signature`. The signature keeps made-up ones from
 * waking, and so making, a hub.
 */
export async function issueTicket(ctx: UserCtx): Promise<string> {
  ctx.cost.objectCalls += 1
  const { id, sessionId, issuedAt } = ctx.viewer
  const ticket = `${id}.${await ctx.env.HUB.getByName(id).issueTicket({ sessionId, issuedAt })}`
  return `${ticket}.${await sign(ctx.config, TICKET, ticket)}`
}

async function redeem(ctx: Ctx, ticket: string): Promise<Login> {
  const [account, secret, signature] = ticket.split('.')
  const id = Id.safeParse(account)
  const holds = await verifySignature(ctx.config, TICKET, `${account}.${secret}`, signature ?? '')
  if (!id.success || !secret || !holds) throw unauthorized('The ticket is not valid')
  ctx.cost.objectCalls += 1
  const login = await ctx.env.HUB.getByName(id.data).redeemTicket(secret)
  if (login === null) throw unauthorized('The ticket is not valid')
  const { standing } = await spend(ctx, 'user', id.data)
  requireActiveLogin(login, standing)
  return { id: id.data, ...login }
}

const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/** Whether a page of `origin` may open sockets: ours, one of the list, or in development any of this machine. */
function isAllowedOrigin(
  { ENVIRONMENT, BASE_URL, REALTIME_ORIGINS }: Config,
  { origin: here }: URL,
  origin: string,
): boolean {
  if ([BASE_URL, here, ...REALTIME_ORIGINS].includes(origin)) return true
  return ENVIRONMENT === 'development' && LOOPBACK.test(origin)
}

const Ticket = z.object({ ticket: z.string(), expiresInSeconds: z.int() }).openapi('RealtimeTicket')
const Query = z.strictObject({
  ticket: z.string().max(200).optional(),
  channels: z.string().max(200).optional().openapi({ description: 'Comma-separated; all by default' }),
  since: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .optional()
    .openapi({ type: 'integer', minimum: 0, description: 'The last `seq` received' }),
})

/**
 * `/realtime`, the one socket, and its tickets. Frames are JSON: first `hello` with `seq` and `resumed`, then what
 * happens, each with its `seq`. A client that comes back gives `since`; when `hello` says `resumed: false` it refetches.
 * The text `ping` is answered by `pong` without waking anything. `known` lists the channels there are. Browsers send the
 * `Origin` of the page (RFC 6455, section 10.2): of others than our own, those that `REALTIME_ORIGINS` lists are let in.
 */
export function realtimeRoutes(known: readonly string[]) {
  return routes()
    .openapi(
      route({
        id: 'createRealtimeTicket',
        method: 'post',
        path: '/realtime/tickets',
        access: 'user',
        scope: SCOPE,
        returns: Ticket,
        status: 201,
        summary: 'Get a ticket that opens one socket within 30 seconds',
      }),
      async (c) => c.json({ ticket: await issueTicket(c.var.ctx), expiresInSeconds: 30 }, 201),
    )
    .openapi(
      route({
        id: 'openRealtime',
        method: 'get',
        path: '/realtime',
        access: 'public',
        scope: SCOPE,
        query: Query,
        returns: null,
        status: 101,
        fails: ['bad_request', 'unauthorized', 'forbidden', 'suspended'],
        summary: 'Open the WebSocket, with a token or a ticket',
      }),
      async (c) => {
        const { ctx } = c.var
        const query = c.req.valid('query')
        if (c.req.method !== 'GET' || c.req.header('upgrade')?.toLowerCase() !== 'websocket')
          throw new Failure('bad_request', 'This is a WebSocket')
        const origin = c.req.header('origin')
        if (origin !== undefined && !isAllowedOrigin(ctx.config, new URL(c.req.url), origin))
          throw new Failure(
            'forbidden',
            'Pages of this origin are not let in: whoever runs the system lists those that are',
          )
        const channels = (query.channels ?? known.join(',')).split(',')
        if (channels.some((channel) => !known.includes(channel))) throw invalid('channels', `are: ${known.join(', ')}`)
        const viewer = query.ticket === undefined ? ctx.viewer : await redeem(ctx, query.ticket)
        if (viewer === null) throw tokenMissing()
        const opening: Opening = {
          accountId: viewer.id,
          sessionId: viewer.sessionId,
          issuedAt: viewer.issuedAt,
          channels,
          since: query.since ?? null,
        }
        const headers = { upgrade: 'websocket', opening: JSON.stringify(opening) }
        ctx.cost.objectCalls += 1
        const answer = await ctx.env.HUB.getByName(viewer.id).fetch('https://hub/', { headers })
        if (answer.status === 401) throw unauthorized()
        if (answer.status !== 101)
          throw new Failure('rate_limited', 'Too many sockets are open', { headers: { 'retry-after': '60' } })
        return new Response(null, answer) // with headers that can be added to
      },
    )
}

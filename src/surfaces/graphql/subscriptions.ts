import { z } from '@hono/zod-openapi'
import { Repeater } from 'graphql-yoga'
import { withDatabases } from '../../platform/create-context.ts'
import { invalid, unavailable } from '../../platform/failures.ts'
import type { Noun } from '../../platform/graphql/noun.ts'
import { noCost } from '../../platform/observability/cost.ts'
import { type Channel, isShared } from '../../platform/realtime/channels.ts'
import { openChannels } from '../../platform/realtime/open-channels.ts'
import type { Rule } from '../../platform/security/admit.ts'
import { type Limit, trySpend } from '../../platform/security/rate-limit.ts'
import { ACCESS_TOKEN_LIFE_MS, tokenMissing } from '../../platform/security/tokens.ts'
import type { Builder, Field, Fields } from './builder.ts'
import { admitRoot } from './calls.ts'
import { type Graph, renew } from './graph.ts'
import { idName } from './lookahead.ts'
import { type Find, linkField } from './nouns.ts'
import { capitalized, type Types } from './types.ts'

type Frame = { event: string; seq: number; resumed?: boolean; data?: object }
type Wanted = { channel: Channel; name: string; rule: Rule; since: number | null }
type Place = { builder: Builder; types: Types; nouns: readonly Noun[]; find: Find }

const HELLO = 'hello'
/** Of its own, so that the acts of others use up no requests. Above it, streams end, and resume with `since` later. */
const frameLimit: Limit = { name: 'frames', quota: 300, window: 60, failure: 'open', lease: 10 }

/** `conversation:{id}` is the field `conversation`. */
export const fieldNameOf = (channel: string) => channel.replace(/:?\{\w+\}/, '')

/** A field that sends the frames of a channel of the socket, with the records that they name. */
export function channelField(place: Place, channel: Channel, rule: Rule): Field {
  return {
    type: unionOf(place, channel),
    description: `The frames of the channel \`${channel.name}\`, after a first one of the type Hello`,
    args: {
      since: { type: 'Float', nullable: true, description: 'The `seq` of the last frame that you received' },
      ...(isShared(channel) && { key: { type: 'String', description: `Replaces the braces in \`${channel.name}\`` } }),
    },
    subscribe: (_: unknown, { since, key = '' }: { since?: number | null; key?: string }, graph) =>
      framesOf(graph, { channel, name: channel.name.replace(/\{\w+\}/, () => key), rule, since: since ?? null }),
    resolve: (frame: Frame, _: unknown, graph) => resolveFrame(graph, frame),
  }
}

/** Opens a socket at the hub of the account. It ends with the login, with the access token, and with the stream. */
async function framesOf(graph: Graph, { channel, name, rule, since }: Wanted): Promise<Repeater<Frame>> {
  const { ctx } = graph
  await admitRoot(graph, rule)
  const { viewer } = ctx
  if (!viewer) throw tokenMissing()
  if (since !== null && !Number.isSafeInteger(since)) throw invalid('since', 'must be a whole number')
  const { webSocket } = await openChannels(ctx, viewer, { known: [channel], wanted: [name], since })
  if (!webSocket) throw unavailable(2)
  return new Repeater<Frame>(async (push, stop) => {
    const expiry = setTimeout(stop, viewer.issuedAt + ACCESS_TOKEN_LIFE_MS - ctx.now())
    let before = Promise.resolve()
    webSocket.addEventListener('message', ({ data }) => {
      const frame: Frame = JSON.parse(String(data))
      before = before.then(async () => {
        if (frame.event === HELLO || (await trySpend(ctx, frameLimit, viewer.id))) void push(frame).catch(stop)
        else stop()
      })
    })
    webSocket.addEventListener('close', () => stop())
    webSocket.addEventListener('error', () => stop())
    webSocket.accept()
    await stop
    clearTimeout(expiry)
    webSocket.close(1000)
  })
}

/** What a frame names is read anew. */
function resolveFrame(graph: Graph, { data, ...frame }: Frame): object {
  const { ctx } = graph
  Object.assign(ctx.cost, noCost())
  renew(graph, withDatabases(ctx, { inWaves: true }))
  return { ...data, ...frame }
}

function unionOf(place: Place, { name, frames }: Channel): string {
  const { builder } = place
  const hello = builder.once('Hello', () => builder.object('Hello', helloFields))
  const names = new Map([[HELLO, hello]])
  for (const [event, schema] of Object.entries(frames)) names.set(event, frameType(place, event, schema))
  const typeOf = (frame: object) => names.get(String(Reflect.get(frame, 'event'))) ?? ''
  const union = `${capitalized(fieldNameOf(name))}Event`
  return builder.once(union, () => builder.union(union, undefined, [...names.values()], typeOf))
}

const helloFields: Fields = {
  seq: { type: 'Float', description: 'Where the subscription continues: a whole number of up to 16 digits' },
  resumed: { type: 'Boolean', description: 'Whether all frames after `since` follow; if not, read your lists again' },
}

function frameType({ builder, types, nouns, find }: Place, event: string, schema: z.ZodType): string {
  if (!(schema instanceof z.ZodObject)) throw new Error(`the frame ${event} is not an object`)
  const name = `${event.split('.').map(capitalized).join('')}Frame`
  return builder.once(name, () => {
    const linked = nouns.filter((noun) => idName(noun.name) in schema.shape)
    const links = linked.map((noun) => {
      const idIn = idName(noun.name)
      const link = linkField({ noun: noun.name, idIn, description: 'Null if you may not see it' }, find)
      return [idIn.replace(/Id$/, ''), link]
    })
    const fields = { seq: { type: 'Float' }, ...types.fieldsOf(schema, name), ...Object.fromEntries(links) }
    builder.object(name, fields, { description: schema.description })
  })
}

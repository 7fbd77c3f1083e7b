import { z } from '@hono/zod-openapi'
import { FailureCode } from '../http/problems.ts'
import type { Channel } from './channels.ts'

/** With the key filled in, as `note:5` of `note:{id}`. */
const ChannelName = z.string().max(100)

/** The first frame of a socket. */
export const Hello = z
  .object({
    event: z.literal('hello'),
    seq: z.int().openapi({
      description:
        'The position from which the socket continues: your `since` if `resumed` is true, otherwise the last',
    }),
    resumed: z.boolean().openapi({ description: 'Whether the missed frames follow, except those of `unkept`' }),
    channels: z
      .array(z.string())
      .openapi({ description: 'The channels that the socket listens to', example: ['home'] }),
    unkept: z.array(z.string()).openapi({
      description: 'Those whose missed frames never follow, whatever `resumed` says: read again what you show of them',
      example: [],
    }),
  })
  .openapi({ example: { seq: 41, channels: ['home', 'notifications'], unkept: [] } })

/** What a client sends to get the frames of a channel, and to get them no more. */
export const Join = z.strictObject({ join: ChannelName }).openapi({ example: { join: 'home' } })
export const Leave = z.strictObject({ leave: ChannelName }).openapi({ example: { leave: 'home' } })

const confirmation = <T extends string>(event: T) =>
  z
    .object({ event: z.literal(event), seq: z.int(), channel: z.string() })
    .openapi({ example: { event, seq: 42, channel: 'home' } })
/** The responses to `Join` and `Leave`. */
export const Joined = confirmation('joined')
export const Left = confirmation('left')

/** The response to a message that the server refuses. */
export const Refusal = z.object({ event: z.literal('error'), code: FailureCode, detail: z.string() }).openapi({
  example: { code: 'forbidden', detail: 'You may not join this channel' },
})

export type Update = { channel: string; event: string; name: string; summary: string; schema: z.ZodType }

/** The frames of the channels, each with a name like `HomePostPublished`. */
export function updatesOf(channels: readonly Channel[]): Update[] {
  return channels.flatMap(({ name: channel, frames }) =>
    Object.entries(frames).map(([event, data]) => {
      const name = pascalCase(`${channel.replaceAll(/\{\w+\}/g, '')}.${event}`)
      const example = { seq: 42, channel, event }
      const schema = z
        .object({
          seq: z
            .int()
            .openapi({ description: 'Increases with every frame of the account, also from `hello` to the next' }),
          channel: channel.includes('{') ? z.string() : z.literal(channel),
          event: z.literal(event),
          data: data.openapi(`${name}Data`),
        })
        .openapi({ example })
      return { channel, event, name, summary: data.description ?? '', schema }
    }),
  )
}

const pascalCase = (text: string) =>
  text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')

export const closeCodes = {
  4000: 'The access token that opened the socket or requested its ticket is a day old. Connect again.',
  4001: 'The login has ended, the account is suspended, or its role has changed. The same token or ticket cannot open another socket.',
  4008: 'The client sent more than 60 messages in a minute, not counting `ping`.',
  1003: 'The client sent a binary message.',
  1009: 'The client sent a message of more than 4096 characters.',
  1011: 'The server could not send to the socket. Connect again, as after any close without a code.',
}

import { OpenAPIHono, type z } from '@hono/zod-openapi'
import { bearer, VERSION } from '../http/api-info.ts'
import { exampleOf } from '../http/openapi-examples.ts'
import { finishSchemas, type Schema } from '../http/openapi-schemas.ts'
import type { Channel } from './channels.ts'
import { closeCodes, Hello, Join, Joined, Leave, Left, Refusal, updatesOf } from './frames.ts'
import { SOCKET_PATH, SocketQuery } from './operations.ts'

const ref = (path: string) => ({ $ref: `#/${path}` })
const CHANNEL = ref('channels/socket')
const message = (name: string) => ref(`channels/socket/messages/${name}`)
const text = (word: string, summary: string) => ({
  name: word,
  summary,
  contentType: 'text/plain',
  payload: { type: 'string', const: word },
})

/**
 * The AsyncAPI 3.0 document of the socket, with a message for each event of the channels, but without `servers`.
 * `action` is that of the server: it sends frames. `conventions` is Markdown about the socket.
 */
export function asyncApiDocument(channels: readonly Channel[], conventions: string): object {
  const { SocketQuery: query, ...schemas } = schemasOf({
    Hello,
    Refusal,
    Join,
    Joined,
    Leave,
    Left,
    SocketQuery,
    ...Object.fromEntries(updatesOf(channels).map(({ name, schema }) => [name, schema])),
  })
  const messages = messagesOf(channels, schemas)
  const license = { name: 'MIT', url: 'https://opensource.org/license/mit' }
  const tags = [{ name: 'realtime', description: 'Live updates' }]
  return {
    asyncapi: '3.0.0',
    info: { title: 'SocialConnect live updates', version: VERSION, license, tags, description: conventions },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: `/v1${SOCKET_PATH}`,
        title: 'The socket',
        description: 'One WebSocket, on which the server sends the frames of several channels.',
        messages: Object.fromEntries(Object.keys(messages).map((name) => [name, ref(`components/messages/${name}`)])),
        bindings: { ws: { method: 'GET', query, bindingVersion: '0.1.0' } },
        'x-close-codes': closeCodes,
      },
    },
    operations: operationsOf(channels),
    components: { schemas: withoutExamples(schemas), messages, securitySchemes: { bearer: bearer(), ticket } },
  }
}

function messagesOf(channels: readonly Channel[], schemas: Record<string, Schema>): object {
  const frame = (name: string, title: string, summary: string) => {
    const payload = ref(`components/schemas/${name}`)
    return {
      name,
      ...(title && { title }),
      summary,
      payload,
      examples: [{ name, payload: exampleOf(payload, schemas) }],
    }
  }
  return {
    ...Object.fromEntries(
      updatesOf(channels).map(({ name, event, summary }) => [name, frame(name, event, summary)] as const),
    ),
    Hello: frame('Hello', 'hello', 'The first frame of a socket'),
    Refusal: frame('Refusal', 'error', 'The response to a message that the server refuses'),
    Join: frame('Join', '', 'Asks for the frames of a channel'),
    Joined: frame('Joined', 'joined', 'The response to `Join`: the frames of the channel follow'),
    Leave: frame('Leave', '', 'Asks for no more frames of a channel'),
    Left: frame('Left', 'left', 'The response to `Leave`'),
    Ping: text('ping', 'Asks whether the connection is alive'),
    Pong: text('pong', 'The response to `ping`'),
  }
}

function operationsOf(channels: readonly Channel[]): object {
  const updates = channels.map((channel) => {
    const names = updatesOf([channel]).map(({ name }) => name)
    const description = `The server reports what happens on the channel \`${channel.name}\``
    return [`update ${channel.name}`.replaceAll(/\W+/g, '_'), operation('send', description, names)] as const
  })
  return {
    ...Object.fromEntries(updates),
    greet: operation('send', 'The server greets a new socket', ['Hello']),
    refuse: operation('send', 'The server refuses a message', ['Refusal']),
    join: asked('The client joins a channel', 'Join', 'Joined'),
    leave: asked('The client leaves a channel', 'Leave', 'Left'),
    ping: asked('The client checks the connection', 'Ping', 'Pong'),
  }
}

const ticket = {
  type: 'httpApiKey',
  in: 'query',
  name: 'ticket',
  description: 'A ticket of `createRealtimeTicket`, for clients that cannot set headers, such as browsers',
}

/** The `servers` of the document as the server at `url` offers it. */
export function serversOf(url: string): object {
  const { host, protocol } = new URL(url)
  const security = [ref('components/securitySchemes/bearer'), ref('components/securitySchemes/ticket')]
  return { socket: { host, protocol: protocol === 'https:' ? 'wss' : 'ws', description: 'This server', security } }
}

const operation = (action: 'send' | 'receive', description: string, names: string[]) => ({
  action,
  channel: CHANNEL,
  description,
  messages: names.map(message),
})

const asked = (description: string, question: string, answer: string) => ({
  ...operation('receive', description, [question]),
  reply: { channel: CHANNEL, messages: [message(answer)] },
})

/** The JSON Schemas of the payloads by name, and of the schemas that they refer to. */
function schemasOf(payloads: Record<string, z.ZodType>): Record<string, Schema> {
  const app = new OpenAPIHono()
  for (const [name, payload] of Object.entries(payloads)) app.openAPIRegistry.register(name, payload)
  const document = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: '', version: '' } })
  finishSchemas(document)
  return document.components?.schemas ?? {}
}

/** `example` is a keyword of OpenAPI, not of JSON Schema. */
function withoutExamples(schemas: Record<string, Schema>): object {
  return JSON.parse(JSON.stringify(schemas, (name, value) => (name === 'example' ? undefined : value)))
}

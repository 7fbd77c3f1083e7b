import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { asyncApiDocument } from '../../src/platform/realtime/asyncapi.ts'
import { defineChannel } from '../../src/platform/realtime/channels.ts'
import hub from '../../src/platform/realtime/hub.object.ts?raw'
import messages from '../../src/platform/realtime/hub-messages.ts?raw'
import { channels, services } from '../../src/registry.ts'
import { readPosts } from '../../src/services/posts/policy.ts'
import { BASE_URL } from '../support/client.ts'
import { frameFlaws, sockets } from '../support/frames.ts'
import { call } from './calls.ts'
import { document } from './operations.ts'

const { channels: addresses, components, info, operations } = sockets

test('the socket is in the AsyncAPI document only, and every other operation is in the OpenAPI document only', () => {
  const mounted = services.flatMap(({ mount, operations }) =>
    operations.map((operation) => ({ ...operation, path: mount + operation.path })),
  )
  const isSocket = (operation: object) => 'isSocket' in operation
  expect(mounted.filter(isSocket).map(({ path }) => path)).toEqual([addresses.socket.address])
  const described = mounted.filter(({ path, method }) => document.paths[path]?.[method] !== undefined)
  expect(described.map(({ id }) => id)).toEqual(mounted.filter((operation) => !isSocket(operation)).map(({ id }) => id))
  expect(JSON.stringify(document)).not.toContain('openRealtime')
})

test('the document has a message for every event of every channel, and an operation for every channel', () => {
  const events = channels.flatMap(({ frames }) => Object.keys(frames))
  const titles = Object.values(components.messages).map(({ title }) => title)
  expect(titles.filter((title) => title).sort()).toEqual([...events, 'hello', 'error', 'joined', 'left'].sort())
  const updates = Object.keys(operations).filter((name) => name.startsWith('update_'))
  expect(updates).toEqual(channels.map(({ name }) => `update_${name.replaceAll(/\W+/g, '_')}`))
  const sent = Object.values(operations).flatMap(({ messages }) => messages.map(({ $ref }) => $ref.split('/').at(-1)))
  expect([...sent, 'Pong', 'Joined', 'Left'].filter((name, i, all) => all.indexOf(name) === i).sort()).toEqual(
    Object.keys(addresses.socket.messages).sort(),
  )
})

test('a channel that a service adds appears by itself, with its parameters', () => {
  const conversation = defineChannel('conversation:{id}', {
    frames: { 'message.sent': z.object({ messageId: z.string().openapi({ example: '1' }) }).describe('a message') },
    scope: readPosts,
    mayJoin: async () => true,
  })
  const added = asyncApiDocument([...channels, conversation], '')
  expect(added).toMatchObject({
    operations: { update_conversation_id_: { action: 'send' } },
    components: { messages: { ConversationMessageSent: { examples: [{ payload: { data: { messageId: '1' } } }] } } },
  })
})

test('every message has an example that fits its schema', () => {
  const frames = Object.values(components.messages).flatMap(({ examples = [] }) =>
    examples.map(({ payload }) => payload),
  )
  expect(frames.length).toBe(channels.flatMap(({ frames }) => Object.keys(frames)).length + 6)
  const events = frames.filter((frame) => Object.hasOwn(frame as object, 'event'))
  expect(events.flatMap((frame) => frameFlaws(frame as { event: string }))).toEqual([])
})

test('the description names every close code, every frame of the hub and how to resume', () => {
  const source = hub + messages
  const events = [...source.matchAll(/event: '(\w+)'/g)].map(([, name]) => name!)
  const closeCodes = [...source.matchAll(/(?:socket, |code: )(\d{4}),/g)].map(([, code]) => code!)
  expect(Object.keys(addresses.socket['x-close-codes']).sort()).toEqual([...new Set(closeCodes)].sort())
  const terms = [...events, ...closeCodes, 'ping', 'pong', 'seq', 'resumed', 'since', 'ticket', 'createRealtimeTicket']
  expect(terms.filter((name) => !info.description.includes(name))).toEqual([])
})

test.each([
  ['an unknown event', { event: 'secret' }],
  ['a missing field', { event: 'hello', seq: 1, resumed: false }],
  [
    'an unknown field of its data',
    { seq: 1, channel: 'home', event: 'post.published', data: { postId: '1', authorId: '2', text: 'x' } },
  ],
  ['an id that is a number', { seq: 1, channel: 'home', event: 'post.published', data: { postId: 1, authorId: '2' } }],
  [
    'the event of another channel',
    { seq: 1, channel: 'notifications', event: 'post.published', data: { postId: '1', authorId: '2' } },
  ],
])('a frame with %s is a flaw', (_, frame) => {
  expect(frameFlaws(frame)).not.toEqual([])
})

test('the served AsyncAPI document names its own server', async () => {
  const { body } = await call({ method: 'GET', path: '/asyncapi.json' })
  expect(body).toMatchObject({
    asyncapi: '3.0.0',
    servers: { socket: { host: new URL(BASE_URL).host, protocol: 'ws' } },
  })
})

import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { type Channel, channelNamed, defineChannel } from '../../../src/platform/realtime/channels.ts'
import type { HubObject } from '../../../src/platform/realtime/hub.object.ts'
import type { HubFrame } from '../../../src/platform/realtime/hub-frames.ts'
import { readPosts } from '../../../src/services/posts/policy.ts'
import { requireDescribed } from '../../support/frames.ts'
import {
  arrived,
  connect,
  dataOf,
  frameTo,
  hub,
  isolateHubs,
  lingerOver,
  publish,
  self,
  soon,
} from '../../support/hubs.ts'

isolateHubs()

type Client = Awaited<ReturnType<typeof connect>>
const frames = { test: z.unknown() }
const home = defineChannel('home', { frames, scope: readPosts, mayJoin: async () => true })
const notes = defineChannel('note:{id}', { frames, scope: readPosts, mayJoin: async (_, __, key) => key !== 'secret' })

/** Gives the hub channels that no service has. An eviction takes them away. */
const withChannels = (channels: Channel[] = [home, notes]) =>
  runInDurableObject(hub(), (instance: HubObject) => void Object.assign(instance, { channels: async () => channels }))
const tell = (name: string, data: unknown, more: Partial<HubFrame> = {}) =>
  hub().publish([{ ...frameTo(self(), { channel: name, event: 'test', data }), topic: name, ...more }])

/** Sends a message, and returns the frame that answers it. */
async function ask(client: Client, message: object) {
  const count = client.received.length
  client.socket.send(JSON.stringify(message))
  await arrived(client, count + 1)
  requireDescribed(client.received[count]!)
  return client.received[count]!
}

test('a socket gets the frames of a shared channel from when it joins until it leaves', async () => {
  await withChannels()
  const [client, other] = [await connect({ channels: ['home'] }), await connect({ channels: [] })]
  await tell('note:1', 'too early')
  expect(await ask(client, { join: 'note:1' })).toMatchObject({ event: 'joined', channel: 'note:1' })
  await tell('note:1', 'a')
  await tell('note:2', 'of another note')
  await publish('b')
  await arrived(client, 4)
  expect(await ask(client, { leave: 'note:1' })).toMatchObject({ event: 'left', channel: 'note:1' })
  await tell('note:1', 'too late')
  await publish('c')
  await arrived(client, 6)
  expect(dataOf(client)).toEqual([undefined, 'a', 'b', undefined, 'c'])
  const seqs = client.received.map(({ seq }) => seq)
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
  expect(other.received).toHaveLength(1)
})

test('an unknown channel, one that may not be joined, one too many, and a malformed message are refused', async () => {
  await withChannels()
  const client = await connect({ channels: [] })
  const codeOf = async (message: object) => (await ask(client, message)).code
  expect(await codeOf({ join: 'nothing' })).toBe('not_found')
  expect(await codeOf({ join: 'note:' })).toBe('not_found')
  expect(await codeOf({ join: 'note:{id}' })).toBe('not_found')
  expect(await codeOf({ join: 'note:secret' })).toBe('forbidden')
  expect(await codeOf({ join: 'home', leave: 'home' })).toBe('bad_request')
  expect(await codeOf({ join: 5 })).toBe('bad_request')
  await tell('note:secret', 'secret')
  for (let n = 0; n < 50; n++) expect((await ask(client, { join: `note:${n}` })).event).toBe('joined')
  expect(await codeOf({ join: 'note:50' })).toBe('conflict')
  expect(client.received.filter(({ data }) => data !== undefined)).toEqual([])
})

test('a socket without the scope of a channel cannot join it later', async () => {
  await withChannels()
  const client = await connect({ channels: [], scopes: ['notifications:read'] })
  for (const join of ['home', 'note:1'])
    expect(await ask(client, { join })).toMatchObject({
      code: 'insufficient_scope',
      detail: expect.stringContaining('posts:read'),
    })
  await tell('note:1', 'secret')
  await publish('secret')
  await ask(client, { leave: 'home' })
  expect(JSON.stringify(client.received)).not.toContain('secret')
})

test('a socket that leaves home and joins it again gets frames of posts only while it is joined', async () => {
  await withChannels()
  const client = await connect({ channels: ['home'] })
  await ask(client, { leave: 'home' })
  await publish('missed')
  await ask(client, { join: 'home' })
  await publish('a')
  await arrived(client, 4)
  expect(dataOf(client).filter((data) => data !== undefined)).toEqual(['a'])
})

test('a joined channel survives an eviction, and a client that reconnects to it gets what it missed', async () => {
  await withChannels()
  const client = await connect({ channels: [] })
  const { seq } = await ask(client, { join: 'note:1' })
  await evictDurableObject(hub())
  await tell('note:1', 'a')
  await arrived(client, 3)
  client.socket.close(1000)
  await soon(() => client.closed)
  await tell('note:1', 'b')
  await tell('note:1', 'not for this account', { except: [self()] })
  await tell('note:1', 'transient', { isTransient: true })
  await withChannels()
  const back = await connect({ since: seq, channels: ['note:1'] })
  await arrived(back, 3)
  expect([back.received[0]!.resumed, dataOf(back)]).toEqual([true, ['a', 'b']])
  await tell('note:1', 'transient', { isTransient: true })
  await arrived(back, 4)
  const early = await connect({ since: seq, channels: ['note:1', 'note:2'] })
  expect(early.received).toEqual([expect.objectContaining({ resumed: false })])
})

test('a client that resumes is told whose frames were not kept', async () => {
  await withChannels([home, { ...notes, isTransient: true }])
  const client = await connect({ channels: ['home', 'note:1'] })
  const { seq } = client.received[0]!
  client.socket.close(1000)
  await soon(() => client.closed)
  await tell('note:1', 'lost', { isTransient: true })
  await publish('kept')
  const back = await connect({ since: seq, channels: ['home', 'note:1'] })
  await arrived(back, 2)
  expect(back.received[0]).toMatchObject({ resumed: true, unkept: ['note:1'] })
  expect(dataOf(back)).toEqual(['kept'])
  expect((await connect({ since: seq, channels: ['home'] })).received[0]).toMatchObject({ resumed: true, unkept: [] })
})

test('a channel that only closed sockets have joined is forgotten after a minute, though others are open', async () => {
  await withChannels()
  await connect({ channels: ['home'] })
  const client = await connect({ channels: [] })
  await ask(client, { join: 'note:1' })
  client.socket.close(1000)
  await soon(() => client.closed)
  const topics = () =>
    runInDurableObject(hub(), (_, { storage }) => storage.sql.exec('SELECT topics FROM listeners').one().topics)
  expect(await topics()).toContain('note:1')
  await lingerOver()
  expect(await topics()).toBe('[]')
})

test('the name of a channel with a key is its prefix and a key without spaces, commas, colons and braces', () => {
  const keyOf = (name: string) => channelNamed([home, notes], name)?.key
  expect([keyOf('home'), keyOf('note:5'), keyOf('note:Straße')]).toEqual(['', '5', 'Straße'])
  for (const name of ['note', 'note:', 'note:a b', 'note:a,b', 'note:a:b', 'home:5', `note:${'x'.repeat(65)}`, ''])
    expect(keyOf(name)).toBeUndefined()
})

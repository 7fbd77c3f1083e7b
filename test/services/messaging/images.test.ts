import { beforeEach, expect, test } from 'vitest'
import { type Id, shardOf } from '../../../src/platform/data/ids.ts'
import { mediaJobs } from '../../../src/services/media/jobs.ts'
import { deleteMessage, editMessage, hideMessage } from '../../../src/services/messaging/message-changes.ts'
import type { Message } from '../../../src/services/messaging/message-views.ts'
import { getMessage } from '../../../src/services/messaging/messages.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { conversationObject, delivered, idOfPair, inboxOf } from '../../support/conversations.ts'
import { shardHolding } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { mediaRow, objectCountOf, unsignedPath, uploaded } from '../../support/media.ts'
import { until } from '../../support/until.ts'
import { asUser, failure } from '../../support/viewers.ts'

const { fetch: anonymously } = anonymousClient()
const HOUR_MS = 3_600_000
const [SENDING, IN_MESSAGE] = [2, 3]

let ada: RegisteredUser
let bob: RegisteredUser
let conversationId: string
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob] = await Promise.all([registeredUser(), registeredUser()])
  conversationId = await open(ada, bob)
})

async function open(by: RegisteredUser, other: RegisteredUser): Promise<string> {
  await by.fetch('/v1/conversations', { method: 'POST', json: { accountId: other.id } })
  return idOfPair(by.id, other.id)
}

const send = (by: RegisteredUser, json: { text?: string; media: string[]; clientId?: string }, id = conversationId) =>
  by.fetch(`/v1/conversations/${id}/messages`, {
    method: 'POST',
    json: { clientId: crypto.randomUUID(), text: '', ...json },
  })

async function sent(by: RegisteredUser, media: string[], text = ''): Promise<Message> {
  const message = await (await send(by, { media, text })).json<Message>()
  await delivered(conversationId)
  return message
}

const urlFor = async (by: Id, messageId: string) => (await getMessage(asUser(by), { messageId })).media[0]!.url
const statusOf = async (url: string, by = anonymously) => (await by(url)).status

test('a message has up to four images, with or without a text, and only its members load them', async () => {
  const images = [await uploaded(ada, undefined, 'a dusk'), await uploaded(ada)]
  const ids = images.map(({ id }) => id)
  const message = await sent(ada, ids)
  expect(message).toMatchObject({ text: '', media: [{ id: ids[0], alt: 'a dusk' }, { id: ids[1] }] })
  expect((await inboxOf(bob.id, 'request'))[0]?.lastMessage).toMatchObject({ preview: '', authorId: ada.id })
  expect(await mediaRow(ids[0]!)).toMatchObject({ post_id: IN_MESSAGE, conversation_id: conversationId })
  const [hers, his] = [await urlFor(ada.id, message.id), await urlFor(bob.id, message.id)]
  expect([await statusOf(hers), await statusOf(his)]).toEqual([200, 200])
  const eve = await registeredUser()
  const unsigned = unsignedPath(images[0]!)
  const others = [anonymously, eve.fetch, bob.fetch, ada.fetch]
  expect(await Promise.all(others.map((by) => statusOf(unsigned, by)))).toEqual([404, 404, 404, 404])
  await hideMessage(asUser(bob.id), { messageId: message.id })
  expect([await statusOf(hers), await statusOf(his)]).toEqual([200, 404])
})

test('images that are missing, of somebody else, used already or too many are refused, and nothing is sent', async () => {
  const [own, other, posted] = [await uploaded(ada), await uploaded(bob), await uploaded(ada)]
  await ada.fetch('/v1/posts', { method: 'POST', json: { media: [posted.id] } })
  const refused = [
    [other.id],
    [posted.id],
    [own.id, other.id],
    ['1970324836977153'],
    [own.id, own.id],
    Array(5).fill(own.id),
  ]
  for (const media of refused) expect((await send(ada, { media })).status).toBe(422)
  expect(await mediaRow(own.id)).toMatchObject({ post_id: null, conversation_id: null })
  expect((await send(ada, { media: [own.id] }, 'f'.repeat(32))).status).toBe(404)
  expect(await mediaRow(own.id)).toMatchObject({ post_id: null })
  const first = await (await send(ada, { media: [own.id], clientId: 'client-id-1' })).json<Message>()
  expect(first.seq).toBe(1)
  expect((await send(ada, { media: [own.id] })).status).toBe(422)
  expect((await send(ada, { media: [] })).status).toBe(422)
  expect(await (await send(ada, { media: [own.id], clientId: 'client-id-1' })).json()).toMatchObject({ seq: 1 })
  expect((await ada.fetch('/v1/posts', { method: 'POST', json: { media: [own.id] } })).status).toBe(422)
})

test('an edit keeps the images, and only a message with images may lose its text', async () => {
  const message = await sent(ada, [(await uploaded(ada)).id], 'look')
  const edited = await editMessage(asUser(ada.id), { messageId: message.id, text: '' })
  expect(edited).toMatchObject({ text: '', media: [{ id: message.media[0]!.id }] })
  const plain = await sent(ada, [], 'plain')
  const emptied = editMessage(asUser(ada.id), { messageId: plain.id, text: ' ' })
  await expect(emptied).rejects.toThrow(failure('invalid'))
})

test('deleting the message for everybody deletes its images, their files and their rows', async () => {
  const { id } = await uploaded(ada)
  const message = await sent(ada, [id], 'look')
  const url = await urlFor(bob.id, message.id)
  await deleteMessage(asUser(ada.id), { messageId: message.id })
  expect(await statusOf(url)).toBe(404)
  await until(async () => (await mediaRow(id)) === null)
  expect(await objectCountOf(id)).toBe(0)
})

test('images do not load across a block, and after the erasure of their owner or of the reader', async () => {
  const { id } = await uploaded(ada)
  const message = await sent(ada, [id])
  const url = await urlFor(bob.id, message.id)
  await ada.fetch(`/v1/accounts/${bob.id}/block`, { method: 'PUT' })
  expect(await statusOf(url)).toBe(404)
  await ada.fetch(`/v1/accounts/${bob.id}/block`, { method: 'DELETE' })
  expect(await statusOf(url)).toBe(200)
  await conversationObject(conversationId).erase(bob.id)
  expect(await statusOf(url)).toBe(404)
})

test('a refused message gives its images back, and a repeated one keeps them, also after its deletion', async () => {
  const [{ id }, other] = [await uploaded(ada, undefined, 'a dusk'), await uploaded(ada)]
  const first = await (await send(ada, { media: [id], clientId: 'client-id-1' })).json<Message>()
  expect((await send(ada, { media: [other.id], clientId: 'client-id-1' })).status).toBe(422)
  await bob.fetch(`/v1/accounts/${ada.id}/block`, { method: 'PUT' })
  expect((await send(ada, { media: [other.id] })).status).toBe(403)
  expect(await mediaRow(other.id)).toMatchObject({ post_id: null, conversation_id: null, claim: null })
  expect((await ada.fetch('/v1/posts', { method: 'POST', json: { media: [other.id] } })).status).toBe(201)
  await deleteMessage(asUser(ada.id), { messageId: first.id })
  const repeated = await send(ada, { media: [id], clientId: 'client-id-1' })
  expect(await repeated.json()).toMatchObject({ seq: 1, kind: 'deleted', media: [] })
})

test('the alternative text and the placeholder of an image are stored only encrypted', async () => {
  const { id } = await uploaded(ada, undefined, 'zqdusk')
  const message = await sent(ada, [id])
  expect(message.media).toMatchObject([{ alt: 'zqdusk', placeholder: expect.stringMatching(/^data:/) }])
  expect(await mediaRow(id)).toMatchObject({ post_id: IN_MESSAGE, alt: '', placeholder: '' })
  expect((await getMessage(asUser(bob.id), { messageId: message.id })).media).toMatchObject([{ alt: 'zqdusk' }])
})

test('the hourly job deletes images whose message was never stored, and keeps those that are sent or being sent', async () => {
  const [unsent, used, claimed] = [await uploaded(ada), await uploaded(ada), await uploaded(ada)]
  await sent(ada, [used.id])
  const claim = 'update media set post_id = ?, conversation_id = ?, claimed_at = ? where id = ?'
  const claimAt = (id: string, at: number, place = conversationId) =>
    shardHolding(ada.id).prepare(claim).bind(SENDING, place, at, Number(id)).run()
  const now = Date.now()
  await claimAt(unsent.id, now - HOUR_MS - 1)
  await claimAt(used.id, now - HOUR_MS - 1)
  await claimAt(claimed.id, now - HOUR_MS + 60_000)
  const ctx = { ...queues.context(), now: () => now }
  for (const job of mediaJobs) if (job.perShard) await job.run(ctx, ctx.db.shard(shardOf(ada.id)))
  expect(await mediaRow(unsent.id)).toBeNull()
  expect(await objectCountOf(unsent.id)).toBe(0)
  expect(await mediaRow(used.id)).toMatchObject({ post_id: IN_MESSAGE })
  expect(await mediaRow(claimed.id)).toMatchObject({ post_id: SENDING })
  expect([await objectCountOf(used.id), await objectCountOf(claimed.id)]).toEqual([2, 2])
})

test('a conversation that does not answer keeps its own images only from being cleaned up', async () => {
  const [waiting, deleted] = [await uploaded(ada), await uploaded(ada)]
  const claim = 'update media set post_id = ?, conversation_id = ?, claimed_at = 1 where id = ?'
  await shardHolding(ada.id).prepare(claim).bind(SENDING, conversationId, Number(waiting.id)).run()
  await shardHolding(ada.id).prepare('update media set post_id = 0 where id = ?').bind(Number(deleted.id)).run()
  const { env: bindings, ...rest } = queues.context()
  const broken = { getByName: () => ({ findImage: () => Promise.reject(new Error('the object is down')) }) }
  const ctx = { ...rest, env: { ...bindings, CONVERSATION: broken as unknown as typeof bindings.CONVERSATION } }
  for (const job of mediaJobs) if (job.perShard) await job.run(ctx, ctx.db.shard(shardOf(ada.id)))
  expect(await mediaRow(deleted.id)).toBeNull()
  expect(await mediaRow(waiting.id)).toMatchObject({ post_id: SENDING })
})

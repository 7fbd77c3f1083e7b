import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { acceptConversation } from '../../../src/services/messaging/conversations.ts'
import { editGroup } from '../../../src/services/messaging/groups.ts'
import { deleteMessage, editMessage } from '../../../src/services/messaging/message-changes.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { bulkIds } from '../../support/actors.ts'
import { conversationObject, delivered, inboxOf, say } from '../../support/conversations.ts'
import { insertByShard } from '../../support/databases.ts'
import { GroupModel } from '../../support/group-model.ts'
import { add, eventsFor, leave, remove, setRole, started } from '../../support/groups.ts'
import { seedFollows } from '../../support/seed.ts'
import { openSocket, type Socket } from '../../support/sockets.ts'
import { asUser } from '../../support/viewers.ts'

const SIZE = 4
const person = fc.nat({ max: SIZE - 1 })
const kind = (...names: string[]) => fc.constantFrom(...names)
const step = fc
  .record({
    kind: fc.oneof(
      { weight: 3, arbitrary: kind('send') },
      { weight: 6, arbitrary: kind('remove', 'add', 'accept', 'leave', 'read', 'lock', 'edit', 'delete', 'hand over') },
      { weight: 1, arbitrary: kind('block', 'show', 'evict') },
    ),
    by: person,
    to: person,
    n: fc.integer({ min: 1, max: 9 }),
  })
  .filter(({ kind, by, to }) => by !== to || !['remove', 'add', 'block', 'hand over'].includes(kind))

function perform(_ids: readonly Id[], id: string, kind: string, by: Id, to: Id, n: number): Promise<unknown> {
  const [ctx, messageId] = [asUser(by), `${id}.${n}`]
  if (kind === 'send') return say(by, id, `text ${n}`)
  if (kind === 'read') return markConversationRead(ctx, { conversationId: id, seq: n })
  if (kind === 'accept') return acceptConversation(ctx, { conversationId: id })
  if (kind === 'edit') return editMessage(ctx, { messageId, text: 'edited' })
  if (kind === 'delete') return deleteMessage(ctx, { messageId })
  if (kind === 'leave') return leave(by, id)
  if (kind === 'add') return add(by, id, to)
  if (kind === 'remove') return remove(by, id, to)
  if (kind === 'hand over') return setRole(by, id, to, 'owner')
  if (kind === 'block') return block(by, to)
  const change = kind === 'show' ? { historyVisible: true } : { locked: n > 4 }
  return editGroup(ctx, { groupId: id, ...change })
}

/** As if the event of the block had arrived. */
async function block(by: Id, to: Id): Promise<void> {
  const row = { account_id: Number(by), other_id: Number(to), by_me: 1, id: Number(by) }
  const mirrored = { account_id: Number(to), other_id: Number(by), by_me: 0, id: Number(by) }
  await insertByShard('blocks', [row, mirrored], ({ account_id }) => account_id).catch(() => {}) // it exists
}

async function compare(model: GroupModel, ids: readonly Id[], id: string): Promise<void> {
  for (const [i, account] of ids.entries()) {
    const { state, read } = model.places[i]!
    const texts = await eventsFor(account, id).catch(() => null)
    expect({ i, texts }).toEqual({ i, texts: model.textsFor(i) })
    const [inbox, requests] = [await inboxOf(account), await inboxOf(account, 'request')]
    const memberCount = model.places.filter((place) => place.state === 'active').length
    const wanted = { id, unread: model.log.length - read, memberCount, name: 'engines' }
    expect(inbox).toMatchObject(state === 'active' ? [wanted] : [])
    expect(requests).toMatchObject(state === 'request' ? [{ id, lastMessage: { preview: null } }] : [])
  }
}

/** What each socket heard last. Nobody hears a text, and who is no member hears at most that it has left. */
async function hear(model: GroupModel, sockets: readonly Socket[], last: Map<number, unknown>): Promise<void> {
  for (const [i, socket] of sockets.entries()) {
    const frames = await socket.takeFrames()
    expect(JSON.stringify(frames)).not.toMatch(/text|edited/)
    const changed = frames.filter(({ event }) => event === 'conversation.changed').at(-1)
    if (changed) last.set(i, changed.data)
    const { state } = model.places[i]!
    if (state !== 'active') expect(frames.filter(({ event }) => event.startsWith('message.'))).toEqual([])
  }
}

test('in whatever order people act, histories, inboxes, unread counts and frames of all are as the rules say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
      const ids = (await bulkIds(SIZE)).toSorted((a, b) => Number(a) - Number(b))
      await seedFollows(ids.flatMap((one) => ids.flatMap((other) => (one === other ? [] : [[one, other] as const]))))
      const [founder, ...others] = ids
      const [model, id] = [new GroupModel(SIZE), await started(founder!, others)]
      const sockets = await Promise.all(
        ids.map((each) => openSocket(each, null, ['conversations', `conversation:${id}`])),
      )
      const last = new Map<number, unknown>()
      for (const { kind, by, to, n } of steps) {
        if (kind === 'evict') {
          await conversationObject(id).ready() // only an object that runs can be evicted
          await evictDurableObject(conversationObject(id))
          continue
        }
        const outcome = await perform(ids, id, kind, ids[by]!, ids[to]!, n).then(
          () => 'done',
          ({ code }) => code,
        )
        expect({ kind, by, to, n, outcome }).toEqual({ kind, by, to, n, outcome: model.act(kind, by, to, n) })
        if (model.places.every(({ state }) => state !== 'active')) break
        await runDurableObjectAlarm(conversationObject(id))
        await delivered(id)
        await hear(model, sockets, last)
      }
      if (model.places.some(({ state }) => state === 'active')) await compare(model, ids, id)
      for (const [i, data] of last) {
        const { state } = model.places[i]!
        const heard =
          state === 'active' ? { seq: model.log.length } : { state: state === 'request' ? 'request' : 'left' }
        expect(data).toMatchObject(heard)
      }
      for (const socket of sockets) socket.close()
    }),
    { numRuns: Number(process.env.GROUP_MODEL_RUNS || 15) },
  )
})

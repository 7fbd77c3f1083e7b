import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acceptConversation, declineConversation } from '../../../src/services/messaging/conversations.ts'
import { markConversationRead } from '../../../src/services/messaging/messages.ts'
import { blockConversation } from '../../../src/services/messaging/statements.ts'
import type { folders } from '../../../src/services/messaging/tables.ts'
import { accountsOn } from '../../support/actors.ts'
import { conversationObject, delivered, inboxOf, opened, say, textsFor } from '../../support/conversations.ts'
import { asUser } from '../../support/viewers.ts'

type State = (typeof folders)[number]
type Side = { read: number; state: State; blocks: boolean }

/** What a conversation of two must show, by the rules alone. `log` has the side and the client id of each message. */
class Model {
  readonly log: { by: number; clientId: string }[] = []
  readonly sides: [Side, Side] = [newSide('active'), newSide('request')]

  send(by: 0 | 1, clientId: string): number | 'forbidden' {
    const first = this.log.findIndex((message) => message.by === by && message.clientId === clientId)
    if (first >= 0) return first + 1
    if (this.sides.some(({ blocks }) => blocks)) return 'forbidden'
    this.log.push({ by, clientId })
    Object.assign(this.sides[by], { read: this.log.length, state: 'active' })
    return this.log.length
  }

  read(by: 0 | 1, seq: number): void {
    const side = this.sides[by]
    side.read = Math.max(side.read, Math.min(seq, this.log.length))
  }

  block(by: 0 | 1, blocks: boolean): void {
    this.sides[by].blocks = blocks
  }

  inbox(by: 0 | 1) {
    const { read, state } = this.sides[by]
    const ended = this.sides.some(({ blocks }) => blocks)
    return this.log.length > 0 ? { state, ended, readSeq: read, unread: this.log.length - read } : null
  }
}

const newSide = (state: State): Side => ({ read: 0, state, blocks: false })

const by = fc.constantFrom<0 | 1>(0, 1)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), by, n: fc.nat({ max: 9 }) }) },
  fc.record({
    kind: fc.constantFrom('read' as const, 'accept' as const, 'decline' as const),
    by,
    n: fc.nat({ max: 9 }),
  }),
  fc.record({ kind: fc.constantFrom('block' as const, 'unblock' as const), by, n: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('evict' as const), by, n: fc.constant(0) }),
)

test('in whatever order people send, repeat, read, answer and block, logs and inboxes are as the rules say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
      const ids = await accountsOn(0, 1)
      const conversationId = await opened(ids[0], ids[1])
      const object = conversationObject(conversationId)
      const model = new Model()
      for (const { kind, by, n } of steps) {
        const ctx = asUser(ids[by])
        if (kind === 'send') {
          const sent = await say(ids[by], conversationId, `text ${by} ${n}`, `client-${n}`).catch(({ code }) => code)
          expect(sent.seq ?? sent).toBe(model.send(by, `client-${n}`))
        } else if (kind === 'read') {
          await markConversationRead(ctx, { conversationId, seq: n })
          model.read(by, n)
        } else if (kind === 'evict') {
          await object.ready() // only an object that runs can be evicted
          await evictDurableObject(object)
        } else if (kind === 'block' || kind === 'unblock') {
          const isBlocking = kind === 'block'
          const pair = { accountId: ids[by], otherId: ids[1 - by]! }
          await blockConversation(ctx, { ...pair, isBlocking })
          model.block(by, isBlocking)
        } else {
          await (kind === 'accept' ? acceptConversation : declineConversation)(ctx, { conversationId })
          model.sides[by].state = kind === 'accept' ? 'active' : 'declined'
        }
      }
      await runDurableObjectAlarm(object)
      await delivered(conversationId)
      for (const side of [0, 1] as const) {
        const texts = model.log.map(({ by, clientId }) => `text ${by} ${clientId.slice('client-'.length)}`)
        const read = await textsFor(ids[side], conversationId).catch(({ code }) => code)
        expect(read).toEqual(side === 1 && texts.length === 0 ? 'not_found' : texts)
        const [shown = null] = await inboxOf(ids[side], model.sides[side].state)
        const wanted = model.inbox(side)
        expect(shown && { ...wanted, ...pick(shown) }).toEqual(wanted)
      }
    }),
    { numRuns: 25 },
  )
})

const pick = ({
  state,
  ended,
  readSeq,
  unread,
}: {
  state: string
  ended: boolean
  readSeq: number
  unread: number
}) => ({
  state,
  ended,
  readSeq,
  unread,
})

import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acceptConversation, declineConversation } from '../../../src/services/messaging/conversations.ts'
import {
  deleteMessage,
  editMessage,
  hideMessage,
  readMessageLog,
} from '../../../src/services/messaging/message-changes.ts'
import { listMessages, markConversationRead } from '../../../src/services/messaging/messages.ts'
import { addReaction } from '../../../src/services/messaging/reactions.ts'
import { blockConversation } from '../../../src/services/messaging/statements.ts'
import type { folders } from '../../../src/services/messaging/tables.ts'
import { accountsOn } from '../../support/actors.ts'
import { conversationObject, delivered, inboxOf, opened, say } from '../../support/conversations.ts'
import { asUser } from '../../support/viewers.ts'

type State = (typeof folders)[number]
type Side = { read: number; state: State; blocks: boolean; hidden: Set<number> }
type Entry = { by: 0 | 1; clientId: string; text: string | null; reactions: Set<0 | 1> }
type Outcome = 'done' | 'forbidden' | 'not_found' | 'conflict'

/** What a conversation of two must show, by the rules alone. */
class Model {
  readonly log: Entry[] = []
  readonly sides: [Side, Side] = [newSide('active'), newSide('request')]

  send(by: 0 | 1, clientId: string, text: string): number | 'forbidden' {
    const first = this.log.findIndex((message) => message.by === by && message.clientId === clientId)
    if (first >= 0) return first + 1
    if (this.isEnded()) return 'forbidden'
    this.log.push({ by, clientId, text, reactions: new Set() })
    Object.assign(this.sides[by], { read: this.log.length, state: 'active' })
    return this.log.length
  }

  read(by: 0 | 1, seq: number): void {
    const side = this.sides[by]
    side.read = Math.max(side.read, Math.min(seq, this.log.length))
  }

  edit(by: 0 | 1, seq: number, text: string): Outcome {
    const message = this.seen(by, seq)
    if (!message) return 'not_found'
    if (message.by !== by) return 'forbidden'
    if (message.text === null) return 'not_found'
    if (message.text !== text && this.isEnded()) return 'forbidden'
    message.text = text
    return 'done'
  }

  /** Also one that its author has hidden: undoing an own action never requires visibility. */
  delete(by: 0 | 1, seq: number): Outcome {
    const message = this.log[seq - 1]
    if (message?.by !== by) return this.seen(by, seq) ? 'forbidden' : 'not_found'
    Object.assign(message, { text: null, reactions: new Set() })
    return 'done'
  }

  react(by: 0 | 1, seq: number): Outcome {
    const message = this.seen(by, seq)
    if (!message || message.text === null) return 'not_found'
    if (this.isEnded()) return 'forbidden'
    if (this.sides[1 - by]?.state === 'request') return 'conflict'
    if (!message.reactions.has(by)) this.sides[by].state = 'active'
    message.reactions.add(by)
    return 'done'
  }

  hide(by: 0 | 1, seq: number): Outcome {
    if (seq > this.log.length || (by === 1 && this.log.length === 0)) return 'not_found'
    this.sides[by].hidden.add(seq)
    return 'done'
  }

  /** `seq`, text and number of reactions of what the side can see. */
  shown(by: 0 | 1): [number, string | null, number][] {
    return this.log.flatMap(({ text, reactions }, i): [number, string | null, number][] => {
      return this.sides[by].hidden.has(i + 1) ? [] : [[i + 1, text, reactions.size]]
    })
  }

  inbox(by: 0 | 1) {
    const { read, state, hidden } = this.sides[by]
    const unread = this.log.filter((_, i) => i >= read && !hidden.has(i + 1)).length
    return this.log.length > 0 ? { state, ended: this.isEnded(), readSeq: read, unread } : null
  }

  private seen(by: 0 | 1, seq: number): Entry | undefined {
    return this.sides[by].hidden.has(seq) ? undefined : this.log[seq - 1]
  }

  private isEnded(): boolean {
    return this.sides.some(({ blocks }) => blocks)
  }
}

const newSide = (state: State): Side => ({ read: 0, state, blocks: false, hidden: new Set() })

const changes = {
  edit: (by, messageId) => editMessage(asUser(by), { messageId, text: 'edited' }),
  delete: (by, messageId) => deleteMessage(asUser(by), { messageId }),
  react: (by, messageId) => addReaction(asUser(by), { messageId, emoji: '👍' }),
  hide: (by, messageId) => hideMessage(asUser(by), { messageId }),
} satisfies Record<string, (by: Parameters<typeof asUser>[0], messageId: string) => Promise<unknown>>

const by = fc.constantFrom<0 | 1>(0, 1)
const one = <const K extends string>(weight: number, min: number, max: number, ...kinds: K[]) => ({
  weight,
  arbitrary: fc.record({ kind: fc.constantFrom(...kinds), by, n: fc.integer({ min, max }) }),
})
const step = fc.oneof(
  one(4, 0, 9, 'send'),
  one(3, 1, 4, 'edit', 'delete', 'react', 'hide'),
  one(1, 0, 9, 'read', 'accept', 'decline'),
  one(1, 1, 9, 'block', 'unblock'),
  one(1, 0, 0, 'evict'),
)

test('in whatever order people send, change, read, answer and block, logs and inboxes are as the rules say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 16 }), async (steps) => {
      const ids = await accountsOn(0, 1)
      const conversationId = await opened(ids[0], ids[1])
      const object = conversationObject(conversationId)
      const model = new Model()
      for (const { kind, by, n } of steps) {
        const ctx = asUser(ids[by])
        if (kind === 'send') {
          const text = `text ${by} ${n}`
          const sent = await say(ids[by], conversationId, text, `client-${n}`).catch(({ code }) => code)
          expect(sent.seq ?? sent).toBe(model.send(by, `client-${n}`, text))
        } else if (kind === 'edit' || kind === 'delete' || kind === 'react' || kind === 'hide') {
          const change = changes[kind](ids[by], `${conversationId}.${n}`)
          const outcome = await change.then(
            () => 'done',
            ({ code }) => code,
          )
          expect([kind, outcome]).toEqual([kind, model[kind](by, n, 'edited')])
        } else if (kind === 'read') {
          await markConversationRead(ctx, { conversationId, seq: n })
          model.read(by, n)
        } else if (kind === 'evict') {
          await object.ready() // only an object that runs can be evicted
          await evictDurableObject(object)
        } else if (kind === 'block' || kind === 'unblock') {
          const isBlocking = kind === 'block'
          await blockConversation(ctx, { accountId: ids[by], otherId: ids[1 - by]!, isBlocking })
          model.sides[by].blocks = isBlocking
        } else {
          await (kind === 'accept' ? acceptConversation : declineConversation)(ctx, { conversationId })
          model.sides[by].state = kind === 'accept' ? 'active' : 'declined'
        }
      }
      await runDurableObjectAlarm(object)
      await delivered(conversationId)
      for (const side of [0, 1] as const) await compare(model, side, ids[side], conversationId)
    }),
    { numRuns: 25 },
  )
})

type Shown = { seq: number; text: string | null; reactions: { count: number }[] }
const briefly = ({ seq, text, reactions }: Shown) => [seq, text, reactions[0]?.count ?? 0]

async function compare(model: Model, side: 0 | 1, id: Parameters<typeof asUser>[0], conversationId: string) {
  const code = (error: { code: string }) => error.code
  const isMember = side === 0 || model.log.length > 0
  const wanted = isMember ? model.shown(side) : 'not_found'
  const page = listMessages(asUser(id), { conversationId, after: 0, limit: 50 })
  expect(await page.then(({ items }) => items.map(briefly).reverse(), code)).toEqual(wanted)
  const log = readMessageLog(asUser(id), { conversationId, since: 0, limit: 50 })
  const listed = await log.then(({ items }) => items.sort((a, b) => a.seq - b.seq).map(briefly), code)
  expect(listed).toEqual(wanted)
  const { state } = model.sides[side]
  const [shown = null] = await inboxOf(id, state)
  const row = model.inbox(side)
  // Who declined gets no copies of what others do afterwards.
  if (row === null || state !== 'declined') expect(shown && { ...row, ...pick(shown) }).toEqual(row)
}

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
  ...{ state, ended, readSeq, unread },
})

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from '../../src/client/client.ts'
import type { Person } from './logins.ts'
import type { Live } from './socket.ts'
import { ensure } from './story.ts'

const PAGE = 50
const RETRY_MS = 200
const GIVE_UP_MS = 60_000

/** Ada and bob write to each other; each sees both messages with the same numbers. */
export async function talk(ada: Person, bob: Person, bobLive: Live): Promise<void> {
  const { id } = await ada.client.openConversation({ accountId: bob.id })
  await ada.client.sendMessage({ conversationId: id, clientId: randomUUID(), text: 'Is the tide out?' })
  await bobLive.frame('conversation.changed', { conversationId: id, seq: 1 })
  await bob.client.sendMessage({ conversationId: id, clientId: randomUUID(), text: 'Until noon' })
  await bob.client.markConversationRead({ conversationId: id, seq: 2 })
  const [hers, his] = [await readLog(ada, id), await readLog(bob, id)]
  ensure(hers.join() === '1 Is the tide out?,2 Until noon', `ada reads both messages: ${hers}`)
  ensure(his.join() === hers.join(), 'bob reads the same log')
}

/** Ada starts a group that bob is invited to; bob accepts, and reads what she writes. */
export async function gather(ada: Person, bob: Person): Promise<void> {
  const { id: conversationId } = await ada.client.createGroup({ name: 'Walkers', members: [bob.id] })
  await bob.client.acceptConversation({ conversationId })
  await ada.client.sendMessage({ conversationId, clientId: randomUUID(), text: 'At the pier at nine' })
  const texts = (await readLog(bob, conversationId)).filter((line) => line.endsWith('At the pier at nine'))
  ensure(texts.length === 1, 'bob reads the message of the group')
}

/** Waits until the server answers again. A repeated send has the same `clientId`, so it is stored once. */
async function insist(person: Person, conversationId: string, text: string): Promise<Message> {
  const clientId = randomUUID()
  for (const until = performance.now() + GIVE_UP_MS; ; await sleep(RETRY_MS)) {
    try {
      return await person.client.sendMessage({ conversationId, clientId, text })
    } catch (error) {
      if (performance.now() > until) throw error
    }
  }
}

/** Both write `each` messages at the same time; `interrupt` runs once half of all are acknowledged. Returns the log. */
export async function talkThrough(
  people: readonly [Person, Person],
  each: number,
  interrupt: () => Promise<void>,
): Promise<string[]> {
  const [ada, bob] = people
  const { id } = await ada.client.openConversation({ accountId: bob.id })
  const acknowledged = new Map<number, string>()
  let interrupted: Promise<void> | null = null
  const write = async (person: Person) => {
    for (let n = 1; n <= each; n++) {
      const { seq, text } = await insist(person, id, `${person.name} ${n}`)
      acknowledged.set(seq, text ?? '')
      if (acknowledged.size >= each) interrupted ??= interrupt()
    }
  }
  await Promise.all(people.map(write))
  await interrupted
  const [hers, his] = [await readLog(ada, id), await readLog(bob, id)]
  const expected = [...acknowledged].toSorted(([a], [b]) => a - b).map(([seq, text]) => `${seq} ${text}`)
  ensure(hers.length === 2 * each, `${2 * each} messages are stored, each once, not ${hers.length}`)
  ensure(hers.join() === expected.join(), 'ada’s log has every acknowledged message, with the number that it got')
  ensure(his.join() === hers.join(), 'bob’s log is the same')
  return hers
}

/** The numbers and texts of all messages, oldest first. */
async function readLog({ client }: Person, conversationId: string): Promise<string[]> {
  const { items } = await client.listMessages({ conversationId, limit: PAGE })
  return items.toSorted((a, b) => a.seq - b.seq).map(({ seq, text }) => `${seq} ${text}`)
}

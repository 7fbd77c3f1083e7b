import { setTimeout as sleep } from 'node:timers/promises'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import type { Talk } from './messages.ts'
import type { Person } from './writers.ts'

const DEADLINE_MS = 60_000
const PAGE = 50

type Message = { seq: number; authorId: string | null; text: string | null; event: object | null }
type Conversation = { id: string; readSeq: number; unread: number; lastMessage: { seq: number } | null }
type Page<T> = { items: T[]; nextCursor: string | null }
type Findings = Record<
  | 'members who see another order'
  | 'messages missing in a history'
  | 'messages sent twice'
  | 'acknowledged messages lost'
  | 'inboxes that are out of date'
  | 'unread counts that are wrong',
  number
>

/** Checks from outside, with requests of each member, what the members see. All numbers should be 0. */
export async function checkMessages(origin: string, talks: readonly Talk[]): Promise<Findings> {
  const findings: Findings = {
    'members who see another order': 0,
    'messages missing in a history': 0,
    'messages sent twice': 0,
    'acknowledged messages lost': 0,
    'inboxes that are out of date': 0,
    'unread counts that are wrong': 0,
  }
  for (const talk of talks) {
    const histories = await Promise.all(talk.members.map((member) => historyOf(origin, member, talk.id)))
    const longest = histories.toSorted((a, b) => b.length - a.length)[0]!
    const lastSeq = longest.at(-1)?.seq ?? 0
    const known = new Map(longest.map((message) => [message.seq, JSON.stringify(message)]))
    for (const [i, history] of histories.entries()) {
      const first = history[0]?.seq ?? 0
      findings['messages missing in a history'] += lastSeq - first + 1 - history.length
      if (history.some((message) => known.get(message.seq) !== JSON.stringify(message)))
        findings['members who see another order'] += 1
      findings['acknowledged messages lost'] += [...talk.acknowledged].filter(
        ([seq, text]) => seq >= first && history.find((message) => message.seq === seq)?.text !== text,
      ).length
      const inbox = await inboxOf(origin, talk.members[i]!, talk.id, lastSeq)
      if (inbox?.lastMessage?.seq !== lastSeq) findings['inboxes that are out of date'] += 1
      else if (!isExact(talk, talk.members[i]!, inbox, history)) findings['unread counts that are wrong'] += 1
    }
    const texts = longest.flatMap(({ text }) => text ?? [])
    findings['messages sent twice'] += texts.length - new Set(texts).size
  }
  return findings
}

/** The read mark is between what was acknowledged and what was tried or sent, and all after it is unread. */
function isExact(talk: Talk, member: Person, { readSeq, unread }: Conversation, history: Message[]): boolean {
  const { acknowledged = 0, tried = 0 } = talk.reads.get(member) ?? {}
  const own = history.filter(({ authorId }) => authorId === member.id).at(-1)?.seq ?? 0
  const joined = (history[0]?.seq ?? 1) + talk.members.length
  const isPossible = readSeq >= Math.max(acknowledged, own) && readSeq <= Math.max(tried, own, joined)
  return isPossible && unread === history.filter(({ seq }) => seq > readSeq).length
}

async function historyOf(origin: string, member: Person, id: string): Promise<Message[]> {
  const messages: Message[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor && `&cursor=${encodeURIComponent(cursor)}`
    const page: Page<Message> = await get(origin, member, `/v1/conversations/${id}/messages?limit=${PAGE}${query}`)
    messages.unshift(
      ...page.items.toReversed().map(({ seq, authorId, text, event }) => ({ seq, authorId, text, event })),
    )
    cursor = page.nextCursor
  }
  return messages
}

/** Waits until the inbox shows the last message, at most a minute. */
async function inboxOf(origin: string, member: Person, id: string, lastSeq: number): Promise<Conversation | undefined> {
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(200)) {
    const page: Page<Conversation> = await get(origin, member, `/v1/conversations?limit=${PAGE}`)
    const shown = page.items.find((conversation) => conversation.id === id)
    if (shown?.lastMessage?.seq === lastSeq || Date.now() > deadline) return shown
  }
}

async function get<T>(origin: string, { token }: Person, path: string): Promise<T> {
  const answer = await fetchInTime(`${origin}${path}`, { headers: { authorization: `Bearer ${token}` } })
  if (!answer.ok) throw new Error(`${path} failed with ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

import { randomUUID } from 'node:crypto'
import { insist, type Person } from './writers.ts'

/** A conversation, its members, and what was acknowledged in it: texts by their number, and the last read of each member. */
export type Talk = {
  id: string
  members: Person[]
  acknowledged: Map<number, string>
  reads: Map<Person, { acknowledged: number; tried: number }>
  retries: number
}

const GROUPS = [3, 6]
const PAIRS = 3

/** Opens three pairs and two groups, and lets everybody join. */
export async function gather(origin: string, people: readonly Person[]): Promise<Talk[]> {
  const talks: Talk[] = []
  const never = () => false
  const call = (by: Person, method: string, path: string, body?: object) =>
    insist(origin, by, { method, path, body }, { retries: 0 }, never)
  const add = (id: string, members: Person[]) =>
    talks.push({ id, members, acknowledged: new Map(), reads: new Map(), retries: 0 })
  for (let n = 0; n < PAIRS; n++) {
    const [one, other] = [people[n]!, people[n + PAIRS]!]
    const opened = await call(one, 'POST', '/v1/conversations', { accountId: other.id })
    await call(other, 'POST', '/v1/conversations', { accountId: one.id })
    add(opened!.id, [one, other])
  }
  for (const size of GROUPS) {
    const [owner, ...others] = people.slice(0, size)
    const body = { name: `group of ${size}`, members: others.map(({ id }) => id) }
    const { id } = (await call(owner!, 'POST', '/v1/groups', body))!
    for (const other of others) await call(other, 'PUT', `/v1/conversations/${id}/accept`)
    add(id, [owner!, ...others])
  }
  return talks
}

/** Sends without pause as random members, and now and then marks what is acknowledged as read. */
export async function converse(origin: string, talks: readonly Talk[], name: string, stopped: () => boolean) {
  for (let n = 0; !stopped(); n++) {
    const talk = talks[Math.floor(Math.random() * talks.length)]!
    const me = talk.members[Math.floor(Math.random() * talk.members.length)]!
    if (n % 10 === 9) await read(origin, talk, me, stopped)
    const body = { clientId: randomUUID(), text: `${name} says ${n} in ${talk.id}` }
    const call = { method: 'POST', path: `/v1/conversations/${talk.id}/messages`, body }
    const sent = await insist(origin, me, call, talk, stopped)
    if (sent) talk.acknowledged.set(Number(sent.id.split('.')[1]), body.text)
  }
}

async function read(origin: string, talk: Talk, me: Person, stopped: () => boolean): Promise<void> {
  const seq = Math.max(0, ...talk.acknowledged.keys())
  const { acknowledged = 0, tried = 0 } = talk.reads.get(me) ?? {}
  talk.reads.set(me, { acknowledged, tried: Math.max(tried, seq) })
  const call = { method: 'PUT', path: `/v1/conversations/${talk.id}/read`, body: { seq } }
  if (!(await insist(origin, me, call, talk, stopped))) return
  const last = talk.reads.get(me)!
  last.acknowledged = Math.max(last.acknowledged, seq)
}

export const countAcknowledged = (talks: readonly Talk[]) =>
  talks.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)

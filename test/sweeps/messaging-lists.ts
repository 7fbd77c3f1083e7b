import { runInDurableObject } from 'cloudflare:test'
import type { Id } from '../../src/platform/data/ids.ts'
import { accountsOn, bulkIds } from '../support/actors.ts'
import { conversationObject, idOfPair } from '../support/conversations.ts'
import { insertRows, shards } from '../support/databases.ts'
import { seedGroup } from '../support/groups.ts'
import type { List } from './lists.ts'

export async function conversations(): Promise<List> {
  const [reader] = await accountsOn(0)
  let last = 0
  return {
    reader,
    path: '/v1/conversations',
    add: async (count) => {
      const others = await bulkIds(count)
      const ids = await Promise.all(others.map((other) => idOfPair(reader, other)))
      const seen = { state: 'active', ended: 0, last_seq: 1, last_at: 1, read_seq: 1, version: 1 }
      const rows = ids.map((id, i) => ({
        ...seen,
        account_id: Number(reader),
        conversation_id: id,
        other_id: Number(others[i]),
        position: ++last,
        changed: last,
        shown_seq: 1,
      }))
      await insertRows(shards[0], 'conversations', rows)
      return ids as Id[]
    },
    remove: async (id) => {
      await shards[0].prepare('DELETE FROM conversations WHERE conversation_id = ?').bind(id).run()
    },
  }
}

export async function messages(): Promise<List> {
  const [reader, other] = await accountsOn(0, 1)
  const id = await idOfPair(reader, other)
  const object = conversationObject(id)
  await object.open({ conversationId: id, accountId: reader, otherId: other, otherState: 'active' })
  return {
    reader,
    path: `/v1/conversations/${id}/messages`,
    add: async (count) => {
      const ids: string[] = []
      for (let n = 0; n < count; n++) {
        const body = { text: 'hello', entities: [] }
        const sent = await object.send({ accountId: other, clientId: crypto.randomUUID(), body })
        if (sent && typeof sent !== 'string') ids.push(`${id}.${sent.seq}`)
      }
      return ids as Id[]
    },
    remove: (messageId) =>
      runInDurableObject(object, (_, { storage }) => {
        storage.sql.exec('DELETE FROM messages WHERE seq = ?', Number(messageId.split('.')[1]))
      }),
  }
}

async function membersOf(path: (id: string) => string, state: 'active' | 'asking'): Promise<List> {
  const [reader] = await accountsOn(0)
  const id = await seedGroup(reader, [])
  const object = conversationObject(id)
  const run = (sql: string, ...values: unknown[]) =>
    runInDurableObject(object, (_, { storage }) => void storage.sql.exec(sql, ...values))
  return {
    reader,
    path: path(id),
    add: async (count) => {
      const others = (await bulkIds(count)).toSorted((a, b) => Number(a) - Number(b))
      const insert = 'INSERT INTO members (account_id, state, read_seq) VALUES (?, ?, 0)'
      for (const other of others) await run(insert, Number(other), state)
      return others.map((other) => `${id}.${other}` as Id)
    },
    remove: (memberId) => run('DELETE FROM members WHERE account_id = ?', Number(memberId.split('.')[1])),
  }
}

export const joinRequests = () => membersOf((id) => `/v1/groups/${id}/requests`, 'asking')
export const members = () => membersOf((id) => `/v1/conversations/${id}/members`, 'active')

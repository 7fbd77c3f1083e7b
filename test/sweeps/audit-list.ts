import { env } from 'cloudflare:workers'
import { toId } from '../../src/platform/data/ids.ts'
import { accountsOn } from '../support/actors.ts'
import { insertRows } from '../support/databases.ts'
import type { List } from './lists.ts'

let last = 1_000_000_000

/** The log of the reader's own account, or as an admin reads it of another actor. */
export async function audit(column: 'account_id' | 'actor_id'): Promise<List> {
  const [reader, other] = await accountsOn(0, 1)
  const isOwn = column === 'account_id'
  return {
    reader,
    role: isOwn ? 'user' : 'admin',
    path: isOwn ? '/v1/me/audit' : `/v1/audit?actorId=${other}`,
    add: async (count) => {
      const rows = Array.from({ length: count }, () => {
        const id = ++last
        const link = { chain: 100, seq: id, event_id: id, previous: '', hash: '' }
        return { id, ...link, at: 0, action: 'registered', [column]: Number(isOwn ? reader : other) }
      })
      await insertRows(env.AUDIT, 'audit_entries', rows)
      return rows.map(({ id }) => toId(id))
    },
    remove: async (id) => {
      await env.AUDIT.prepare('DROP TRIGGER IF EXISTS audit_entries_stay').run()
      await env.AUDIT.prepare('DELETE FROM audit_entries WHERE id = ?').bind(Number(id)).run()
    },
  }
}

import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'
import type { AuditRow } from '../../src/services/audit/tables.ts'

/** The entries that concern an account, or whose actor it is, oldest first. */
export async function auditOf(accountId: Id): Promise<AuditRow[]> {
  const { results } = await env.AUDIT.prepare(
    `SELECT id, chain, seq, at, action, account_id accountId, actor_id actorId, client, detail, event_id eventId, previous, hash
     FROM audit_entries WHERE account_id = ?1 OR actor_id = ?1 ORDER BY chain, seq`,
  )
    .bind(Number(accountId))
    .all<AuditRow>()
  return results.map((row) => ({ ...row, ...textIds(row) }))
}

const textIds = ({ id, accountId, actorId, eventId }: AuditRow) =>
  Object.fromEntries(
    Object.entries({ id, accountId, actorId, eventId }).map(([name, value]) => [name, value && String(value)]),
  )

import type { Config } from '../../platform/config.ts'
import type { Id } from '../../platform/data/ids.ts'
import { sign } from '../../platform/security/crypto.ts'
import type { AuditRow } from './tables.ts'

const CHAINS = 8

export type Head = Pick<AuditRow, 'seq' | 'hash'>
export const emptyHead: Head = { seq: 0, hash: '' }

export function chainOf(accountId: Id | null): number {
  return Number(accountId ?? 0) % CHAINS
}

/** The HMAC of an entry and of the hash before it: without AUTH_SECRET, nobody can write an entry that fits. */
export function hashOf(config: Config, row: Omit<AuditRow, 'hash'>): Promise<string> {
  const { chain, seq, id, at, action, accountId, actorId, client, eventId, previous, detail } = row
  const signed = [chain, seq, id, at, action, accountId, actorId, client, eventId, previous]
  return sign(config, 'audit', JSON.stringify(detail === null ? signed : [...signed, detail]))
}

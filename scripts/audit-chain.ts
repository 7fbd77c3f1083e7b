import type { Config } from '../src/platform/config.ts'
import { type Id, toId } from '../src/platform/data/ids.ts'
import { emptyHead, type Head, hashOf } from '../src/services/audit/chain.ts'
import type { AuditRow } from '../src/services/audit/tables.ts'
import type { Query, Row } from './databases.ts'

const PAGE = 2_000

const CHAINS = `WITH RECURSIVE chains(chain) AS (
  SELECT min(chain) FROM audit_entries UNION ALL
  SELECT (SELECT min(chain) FROM audit_entries WHERE chain > chains.chain) FROM chains WHERE chain IS NOT NULL
) SELECT chain FROM chains WHERE chain IS NOT NULL`

/** What was found in one chain. `gaps` are missing numbers, each of which an operator must explain. */
export type Checked = { chain: number; entries: number; head: Head; gaps: string[]; faults: string[] }

/** Checks every chain. `configs` have the secrets that signed the entries, the current one first. */
export async function* checkLog(query: Query, configs: readonly Config[], page = PAGE): AsyncGenerator<Checked> {
  // The heads are read first: whatever they name is in the log, although the log may grow meanwhile.
  const [heads = []] = await query('DIRECTORY', 'SELECT chain, seq, hash FROM audit_heads')
  const [stored = []] = await query('AUDIT', CHAINS)
  const chains = new Set([...heads, ...stored].map(({ chain }) => Number(chain)))
  for (const chain of [...chains].sort((a, b) => a - b)) {
    const head = heads.find((each) => each.chain === chain)
    const entries = entriesOf(query, chain, page)
    yield checkChain(entries, configs, chain, head && { seq: Number(head.seq), hash: String(head.hash) })
  }
}

async function checkChain(
  entries: AsyncIterable<AuditRow>,
  configs: readonly Config[],
  chain: number,
  head: Head | undefined,
): Promise<Checked> {
  const found: Checked = { chain, entries: 0, head: emptyHead, gaps: [], faults: [] }
  if (!head) found.faults.push(`chain ${chain} has no head in DIRECTORY`)
  let oldest = configs.length - 1
  for await (const row of entries) {
    const signer = await signerOf(configs, row)
    found.faults.push(...faultsOf(row, found.head, signer, oldest, head).map((fault) => `${nameOf(row)} ${fault}`))
    if (row.seq > found.head.seq + 1) found.gaps.push(gapOf(chain, found.head.seq, row.seq - 1))
    if (signer >= 0) oldest = Math.min(oldest, signer)
    found.entries += 1
    found.head = row
  }
  if (head && head.seq > found.head.seq) found.gaps.push(gapOf(chain, found.head.seq, head.seq))
  return found
}

async function* entriesOf(query: Query, chain: number, page: number): AsyncGenerator<AuditRow> {
  for (let after: number | null = null; ; ) {
    const beyond: string = after === null ? '' : `AND seq > ${after}`
    const sql = `SELECT * FROM audit_entries WHERE chain = ${chain} ${beyond} ORDER BY seq LIMIT ${page}`
    const [rows = []]: Row[][] = await query('AUDIT', sql)
    yield* rows.map(entryOf)
    if (rows.length < page) return
    after = Number(rows.at(-1)!.seq)
  }
}

function faultsOf(row: AuditRow, last: Head, signer: number, oldest: number, head: Head | undefined): string[] {
  const isNext = row.seq === last.seq + 1
  return [
    ...(signer < 0 ? ['was changed or inserted'] : []),
    ...(signer > oldest ? ['is signed with an older secret than an entry before it'] : []),
    ...(isNext && row.previous !== last.hash ? ['does not follow the entry before it'] : []),
    ...(row.seq === head?.seq && row.hash !== head.hash ? ['is not the one whose hash is in DIRECTORY'] : []),
  ]
}

/** The place of the secret that signed the entry, or -1. */
async function signerOf(configs: readonly Config[], { hash, ...row }: AuditRow): Promise<number> {
  const hashes = await Promise.all(configs.map((config) => hashOf(config, row)))
  return hashes.indexOf(hash)
}

const nameOf = ({ chain, seq, id, action }: AuditRow) => `entry ${chain}:${seq} (id ${id}, ${action})`
const gapOf = (chain: number, last: number, to: number) => `${chain}:${last + 1}-${to}`
const idOrNull = (value: unknown): Id | null => (value === null ? null : toId(Number(value)))

function entryOf(row: Row): AuditRow {
  return {
    id: toId(Number(row.id)),
    chain: Number(row.chain),
    seq: Number(row.seq),
    at: Number(row.at),
    action: String(row.action),
    accountId: idOrNull(row.account_id),
    actorId: idOrNull(row.actor_id),
    client: row.client === null ? null : String(row.client),
    detail: row.detail === null ? null : String(row.detail),
    eventId: toId(Number(row.event_id)),
    previous: String(row.previous),
    hash: String(row.hash),
  }
}

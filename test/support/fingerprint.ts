import { env } from 'cloudflare:workers'

const { DIRECTORY, SHARD_0, SHARD_1, INDEX, AUDIT } = env
const databases = { DIRECTORY, SHARD_0, SHARD_1, INDEX, AUDIT }

/** A hash of each table and of the object names in R2. Two fingerprints are equal only if no row or name differs. */
export async function fingerprint(): Promise<Record<string, string>> {
  const prints: Record<string, string> = { MEDIA: await hash((await env.MEDIA.list()).objects.map(({ key }) => key)) }
  for (const [name, db] of Object.entries(databases)) {
    const { results } = await db
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`)
      .all<{ name: string }>()
    for (const { name: table } of results) {
      prints[`${name}.${table}`] = await hash((await db.prepare(`SELECT * FROM "${table}"`).all()).results)
    }
  }
  return prints
}

/** For requests that leave an audit entry and must change nothing else. */
export async function fingerprintWithoutAudit(): Promise<Record<string, string>> {
  const { 'AUDIT.audit_entries': _, 'DIRECTORY.audit_heads': __, ...others } = await fingerprint()
  return others
}

async function hash(value: unknown): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(value)))
  return new Uint8Array(digest).toHex().slice(0, 16)
}

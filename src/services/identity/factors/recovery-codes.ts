import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../../platform/context.ts'
import type { Database } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { blindIndex } from '../../../platform/security/crypto.ts'
import { recoveryCodes } from './factor-tables.ts'

const COUNT = 10
const HALF = 5
/** Without letters that look like others (Crockford's base32). 10 characters are 50 random bits. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

export function newRecoveryCodes(): string[] {
  return Array.from({ length: COUNT }, () => {
    const drawn = crypto.getRandomValues(new Uint8Array(2 * HALF))
    const text = Array.from(drawn, (byte) => ALPHABET[byte % ALPHABET.length]).join('')
    return `${text.slice(0, HALF)}-${text.slice(HALF)}`
  })
}

/** Typed codes may have other spaces, dashes and letters that look alike. */
export function codeHash(ctx: SystemCtx, accountId: Id, typed: string): Promise<string> {
  const code = typed.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
  return blindIndex(ctx.config, 'recovery code', `${accountId} ${code}`)
}

export async function replaceCodes(ctx: SystemCtx, db: Database, accountId: Id, codes: string[]) {
  const hashes = await Promise.all(codes.map((code) => codeHash(ctx, accountId, code)))
  const rows = hashes.map((code) => ({ accountId, code, createdAt: ctx.now() }))
  return [
    db.delete(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)),
    db.insert(recoveryCodes).values(rows),
  ] as const
}

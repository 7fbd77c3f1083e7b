import { gt, isNull, or } from 'drizzle-orm'
import type { JSONWebKeySet } from 'jose'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { KeySource } from '../../platform/security/tokens.ts'
import { jwks } from './tables.ts'

/** An expired key stays published for this long, because tokens that it signed may still be in use. */
const PUBLISHED_AFTER_EXPIRY_MS = 24 * 3_600_000

/** Reads the table directly, so that better-auth is not loaded. */
export const signingKeys: KeySource = async (ctx: SystemCtx): Promise<JSONWebKeySet> => {
  const useful = or(isNull(jwks.expiresAt), gt(jwks.expiresAt, new Date(ctx.now() - PUBLISHED_AFTER_EXPIRY_MS)))
  const rows = await atPrimary(ctx)
    .directory.select({ id: jwks.id, publicKey: jwks.publicKey })
    .from(jwks)
    .where(useful)
  return { keys: rows.map((row) => ({ ...JSON.parse(row.publicKey), kid: row.id, alg: 'EdDSA', use: 'sig' })) }
}

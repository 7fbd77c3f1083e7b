import { crc32 } from 'node:zlib'
import type { Ctx, SystemCtx, Viewer } from '../context.ts'
import { Id } from '../data/ids.ts'
import { withTimeout } from '../timeout.ts'
import { accountGuard } from './access-guard.client.ts'
import type { ApiKeyGrant } from './access-guard-keys.ts'
import { forgetStatus } from './account-status.ts'
import { sha256 } from './crypto.ts'
import { sessionOfKey } from './key-logins.ts'
import { type ClientIp, type Limit, refund, spend } from './rate-limit.ts'
import { unauthorized } from './tokens.ts'

/** Reads the API keys of an account from the database. */
export type ApiKeySource = (ctx: SystemCtx, accountId: Id) => Promise<ApiKeyGrant[]>

/** `sc_`, the account, 256 random bits, and the CRC-32 of all that precedes it. Each key has exactly one form. */
const FORM = /^(sc_([1-9]\d{0,15})_[0-9a-f]{64})([0-9a-f]{8})$/
const SECRET_BYTES = 32
const KEPT_MS = 3_600_000
const UNSTORED_MS = 2_000
const TIMEOUT_MS = 2_000
const MAX_REMEMBERED = 5_000

/** For keys that this isolate does not know, per client address. It protects the guards of all accounts. */
export const unknownKeyLimit: Limit = { name: 'unknownKey', quota: 100, window: 60, failure: 'open', lease: 10 }

const known = new Map<string, { grant: ApiKeyGrant; until: number }>()

export function newApiKey(accountId: Id): string {
  const body = `sc_${accountId}_${crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toHex()}`
  return body + checksumOf(body)
}

export async function hashOfKey(key: string): Promise<string> {
  return (await sha256(key)).toHex()
}

/** Gives the guard the complete list of the API keys of the account. */
export async function storeApiKeys(ctx: SystemCtx, accountId: Id, keys: readonly ApiKeyGrant[]): Promise<void> {
  await accountGuard(ctx, accountId).storeKeys([...keys])
}

/** By the id of the key: when (epoch ms, to the hour) it was last used. */
export async function readKeyUses(ctx: SystemCtx, accountId: Id): Promise<Record<string, number>> {
  return accountGuard(ctx, accountId).keyUses()
}

/** The viewer of an API key. Throws `unauthorized` or `rate_limited`. `admit` checks whether the key was revoked. */
export async function verifyApiKey(
  ctx: Ctx & { clientIp: ClientIp },
  key: string,
  source: ApiKeySource,
): Promise<Viewer> {
  const id = accountOf(key)
  if (id === null) throw unauthorized('The API key is malformed')
  const now = ctx.now()
  const last = known.get(key)
  const grant = last && last.until > now ? last.grant : await recognized(ctx, { id, key }, source)
  if (grant.expiresAt <= now) throw unauthorized('The API key has expired')
  return { id, role: 'user', scopes: new Set(grant.scopes), sessionId: sessionOfKey(grant.id), issuedAt: now }
}

/** Makes this isolate ask the guard again, so that requests with a revoked key no longer use up the limit of the account. */
export function forgetApiKey({ sessionId }: Pick<Viewer, 'sessionId'>): void {
  for (const [key, { grant }] of known) if (sessionOfKey(grant.id) === sessionId) known.delete(key)
}

function accountOf(key: string): Id | null {
  const [, body = '', account, checksum] = FORM.exec(key) ?? []
  return checksum === checksumOf(body) ? (Id.safeParse(account).data ?? null) : null
}

const checksumOf = (text: string) => crc32(text).toString(16).padStart(8, '0')

/** The limit of the address comes first, so that strangers cannot wake the guards of any number of accounts. */
async function recognized(
  ctx: Ctx & { clientIp: ClientIp },
  { id, key }: { id: Id; key: string },
  source: ApiKeySource,
): Promise<ApiKeyGrant> {
  const counted = known.has(key) ? null : await spend(ctx, unknownKeyLimit, ctx.clientIp)
  const hash = await hashOfKey(key)
  const stored = await withTimeout(inGuard(ctx, id, hash, source), TIMEOUT_MS).catch((error: unknown) => {
    ctx.log.error('the access guard does not know the API keys', { error })
    return undefined
  })
  const grant = stored === undefined ? keyWith(hash, await source(ctx, id)) : stored
  if (!grant) {
    known.delete(key)
    throw unauthorized()
  }
  if (known.size >= MAX_REMEMBERED) known.clear()
  known.set(key, { grant, until: ctx.now() + (stored ? KEPT_MS : UNSTORED_MS) })
  forgetStatus(ctx, id) // its list of keys may be older than this one
  if (counted) ctx.defer(() => refund(ctx, unknownKeyLimit, ctx.clientIp, counted))
  return grant
}

const keyWith = (hash: string, keys: readonly ApiKeyGrant[]) => keys.find((key) => key.hash === hash) ?? null

/** Null if the account has no such key. An empty guard gets the keys of the account, but only if this is one of them. */
async function inGuard(ctx: SystemCtx, accountId: Id, hash: string, source: ApiKeySource): Promise<ApiKeyGrant | null> {
  const stored = await accountGuard(ctx, accountId).useKey(hash)
  if (stored !== undefined) return stored
  const keys = await source(ctx, accountId)
  if (!keyWith(hash, keys)) return null
  await storeApiKeys(ctx, accountId, keys)
  return (await accountGuard(ctx, accountId).useKey(hash)) ?? null
}

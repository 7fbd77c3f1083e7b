import type { SystemCtx } from '../../platform/context.ts'
import { closesAt } from './buckets.ts'
import { SALTS } from './log-names.ts'

const MOST_KNOWN = 200
const known = new Map<string, CryptoKey>()
const encoder = new TextEncoder()

/** The key with which a bucket hides who its members are; null once it has closed, because the key is then destroyed. */
export async function saltOf(ctx: SystemCtx, bucket: string): Promise<CryptoKey | null> {
  if (closesAt(bucket) <= ctx.now()) return null
  const found = known.get(bucket)
  if (found) return found
  const bytes = await storedSalt(ctx, `${SALTS}${bucket}`)
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(bucket, key)
  return key
}

/** Creates it, unless another isolate did. */
async function storedSalt({ env }: SystemCtx, name: string): Promise<ArrayBuffer> {
  const stored = await env.ACTIVITY_LOG.get(name)
  if (stored) return stored.arrayBuffer()
  const fresh = crypto.getRandomValues(new Uint8Array(32))
  const created = await env.ACTIVITY_LOG.put(name, fresh, { onlyIf: new Headers({ 'if-none-match': '*' }) })
  if (created) return fresh.buffer
  const theirs = await env.ACTIVITY_LOG.get(name)
  if (!theirs) throw new Error(`the salt ${name} cannot be read`)
  return theirs.arrayBuffer()
}

export async function pseudonym(salt: CryptoKey, name: string): Promise<string> {
  const hash = await crypto.subtle.sign('HMAC', salt, encoder.encode(name))
  return new Uint8Array(hash, 0, 8).toBase64({ alphabet: 'base64url', omitPadding: true })
}

import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { currentKeyId, importKey, open, openWith, seal, sealWith } from './crypto.ts'

// Every account has a key for its personal data. The keys are sealed with DATA_KEYS and stored in R2, one object each:
// R2 keeps no backups, so a destroyed key cannot return, while D1 can be restored to any minute of the last 30 days.

const KEY_BYTES = 32
const PREFIX = 'accounts/'

/** Encrypts with the key of the account, which is created on first use. `openFor` needs the same `context`. */
export async function sealFor(ctx: SystemCtx, accountId: Id, plain: string, context: string): Promise<string> {
  const key = (await readKey(ctx, accountId)) ?? (await createKey(ctx, accountId))
  return `a.${await sealWith(key, plain, `${accountId}:${context}`)}`
}

/** Decrypts what `sealFor` returned. Returns null if the key of the account was destroyed. */
export async function openFor(ctx: SystemCtx, accountId: Id, sealed: string, context: string): Promise<string | null> {
  const key = await readKey(ctx, accountId)
  return key && openWith(key, sealed.slice('a.'.length), `${accountId}:${context}`)
}

/** Makes everything that was sealed for these accounts (at most 1,000) unreadable, in backups too. */
export async function destroyKeys(ctx: SystemCtx, accountIds: readonly Id[]): Promise<void> {
  if (accountIds.length > 0) await ctx.env.KEYS.delete(accountIds.map(nameOf))
}

async function readKey(ctx: SystemCtx, accountId: Id): Promise<CryptoKey | null> {
  const object = await ctx.env.KEYS.get(nameOf(accountId))
  if (!object) return null
  const bytes = Uint8Array.fromBase64(await open(ctx.config, await object.text(), nameOf(accountId)))
  return importKey(bytes)
}

/** If two requests create the key at once, both use the first one. */
async function createKey(ctx: SystemCtx, accountId: Id): Promise<CryptoKey> {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  const sealed = await seal(ctx.config, bytes.toBase64(), nameOf(accountId))
  const stored = await ctx.env.KEYS.put(nameOf(accountId), sealed, {
    onlyIf: new Headers({ 'if-none-match': '*' }),
    customMetadata: { sealedWith: currentKeyId(ctx.config) },
  })
  const key = stored ? await importKey(bytes) : await readKey(ctx, accountId)
  if (!key) throw new Error('the key of the account was destroyed while it was created')
  return key
}

function nameOf(accountId: Id): string {
  return `${PREFIX}${accountId}`
}

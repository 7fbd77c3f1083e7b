import type { Config } from '../config.ts'
import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { mapConcurrently } from '../data/shards.ts'
import { currentKeyId, importKey, open, openWith, seal, sealWith } from './crypto.ts'

// Every account has a key for its personal data. The keys are sealed with DATA_KEYS and stored in R2, one object each:
// R2 keeps no backups, so a destroyed key cannot return, while D1 can be restored to any minute of the last 30 days.

type KeyStore = { env: Pick<Env, 'KEYS'>; config: Config }

/** The keys that a request has read: it often needs one twice. */
const read = new WeakMap<KeyStore['env'], Map<Id, CryptoKey>>()

const KEY_BYTES = 32
const MAX_DELETED_AT_ONCE = 1_000
export const KEYS_OF_ACCOUNTS = 'accounts/'

/** Encrypts with the key of the account, which is created on first use. `openFor` needs the same `context`. */
export async function sealFor(store: KeyStore, accountId: Id, plain: string, context: string): Promise<string> {
  const key = (await readKey(store, accountId)) ?? (await createKey(store, accountId))
  remember(store, accountId, key)
  return sealed(key, accountId, plain, context)
}

/** Like `sealFor`, for an account that may have been erased: null if it has no key, which is not created. */
export async function sealForKnown(
  store: KeyStore,
  accountId: Id,
  plain: string,
  context: string,
): Promise<string | null> {
  const key = await readKey(store, accountId)
  return key && sealed(key, accountId, plain, context)
}

async function sealed(key: CryptoKey, accountId: Id, plain: string, context: string): Promise<string> {
  return `a.${await sealWith(key, plain, `${accountId}:${context}`)}`
}

/** Decrypts what `sealFor` returned. Returns null if the key of the account was destroyed. */
export async function openFor(store: KeyStore, accountId: Id, sealed: string, context: string): Promise<string | null> {
  const [plain = null] = await openAllFor(store, accountId, [sealed], context)
  return plain
}

/** Like `openFor` for many texts, with one read of the key. A null text stays null. */
export async function openAllFor(
  store: KeyStore,
  accountId: Id,
  sealed: readonly (string | null)[],
  context: string,
): Promise<(string | null)[]> {
  const key = sealed.some((text) => text !== null) ? await readKey(store, accountId) : null
  const open = (text: string | null) => key && text && openWith(key, text.slice('a.'.length), `${accountId}:${context}`)
  return Promise.all(sealed.map(open))
}

/** Makes everything that was sealed for these accounts unreadable, in backups too. */
export async function destroyKeys({ env }: KeyStore, accountIds: readonly Id[]): Promise<void> {
  for (const id of accountIds) read.get(env)?.delete(id)
  for (let at = 0; at < accountIds.length; at += MAX_DELETED_AT_ONCE) {
    await env.KEYS.delete(accountIds.slice(at, at + MAX_DELETED_AT_ONCE).map(nameOf))
  }
}

async function readKey(store: KeyStore, accountId: Id): Promise<CryptoKey | null> {
  const { env, config } = store
  const known = read.get(env)?.get(accountId)
  if (known) return known
  const object = await env.KEYS.get(nameOf(accountId))
  if (!object) return null
  const bytes = Uint8Array.fromBase64(await open(config, await object.text(), nameOf(accountId)))
  const key = await importKey(bytes)
  remember(store, accountId, key)
  return key
}

function remember({ env }: KeyStore, accountId: Id, key: CryptoKey): void {
  read.set(env, (read.get(env) ?? new Map<Id, CryptoKey>()).set(accountId, key))
}

/** If two requests create the key at once, both use the first one. */
async function createKey(store: KeyStore, accountId: Id): Promise<CryptoKey> {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  const isNew = new Headers({ 'if-none-match': '*' })
  const stored = await putSealed(store, nameOf(accountId), bytes.toBase64(), isNew)
  const key = stored ? await importKey(bytes) : await readKey(store, accountId)
  if (!key) throw new Error('the key of the account was destroyed while it was created')
  return key
}

function nameOf(accountId: Id): string {
  return `${KEYS_OF_ACCOUNTS}${accountId}`
}

async function putSealed(
  { env, config }: KeyStore,
  name: string,
  key: string,
  onlyIf: R2Conditional | Headers,
): Promise<boolean> {
  const sealed = await seal(config, key, name)
  const put = await env.KEYS.put(name, sealed, { onlyIf, customMetadata: { sealedWith: currentKeyId(config) } })
  return put !== null
}

/** A pass over the keys of accounts after `key` became the current one. `done`: a whole pass found nothing to seal. */
export type Resealing = { key: string; after: string | null; resealed: number; done: boolean }

/** The KV key of the progress (`Resealing`, as JSON). */
export const RESEALING = 'account-keys:resealing'
const MAX_LISTED = 400

/** Seals the next keys of accounts with the current key of DATA_KEYS. Runs every minute; an interrupted pass continues. */
export async function resealKeys(ctx: SystemCtx): Promise<void> {
  const key = currentKeyId(ctx.config)
  const last = await ctx.env.CACHE.get<Resealing>(RESEALING, 'json')
  const pass = last?.key === key ? last : { key, after: null, resealed: 0, done: false }
  if (pass.done) return
  const { objects, truncated } = await ctx.env.KEYS.list({
    prefix: KEYS_OF_ACCOUNTS,
    startAfter: pass.after ?? undefined,
    limit: MAX_LISTED,
    include: ['customMetadata'],
  })
  const outdated = objects.filter(({ customMetadata }) => customMetadata?.sealedWith !== key)
  await mapConcurrently(outdated, ({ key: name }) =>
    reseal(ctx, name).catch((error: unknown) =>
      ctx.log.error('the key of an account cannot be resealed', { name, error }),
    ),
  )
  const resealed = pass.resealed + outdated.length
  // Versions with the older keyring may run beside this one, so only a pass that finds nothing is the last one.
  const next = truncated
    ? { key, after: objects.at(-1)?.key ?? null, resealed, done: false }
    : { key, after: null, resealed: 0, done: resealed === 0 }
  await ctx.env.CACHE.put(RESEALING, JSON.stringify(next))
}

/** Does nothing if the key was destroyed or sealed again in the meantime. */
async function reseal(store: KeyStore, name: string): Promise<void> {
  const object = await store.env.KEYS.get(name)
  if (!object) return
  const key = await open(store.config, await object.text(), name)
  await putSealed(store, name, key, { etagMatches: object.etag })
}

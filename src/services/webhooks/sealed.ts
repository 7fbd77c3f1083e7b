import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openAllFor, sealFor } from '../../platform/security/account-keys.ts'
import { blindIndex } from '../../platform/security/crypto.ts'

const CONTEXT = 'webhook'
const PREFIX = 'a.'

export const sealSecret = (ctx: SystemCtx, accountId: Id, secret: string) => sealFor(ctx, accountId, secret, CONTEXT)

/** Addresses may be secrets of their receivers. Two of an account are compared by the blind index. */
export async function sealUrl(ctx: SystemCtx, accountId: Id, url: string) {
  const [sealed, urlIndex] = await Promise.all([
    sealFor(ctx, accountId, url, CONTEXT),
    blindIndex(ctx.config, 'webhook', `${accountId} ${url}`),
  ])
  return { url: sealed, urlIndex }
}

/** Addresses and secrets; null once the key of the account was destroyed. Addresses of before migration 0029 are in clear. */
export async function openSealed(ctx: SystemCtx, accountId: Id, stored: readonly string[]): Promise<(string | null)[]> {
  const isSealed = (text: string) => text.startsWith(PREFIX)
  const sealed = stored.map((text) => (isSealed(text) ? text : null))
  const opened = await openAllFor(ctx, accountId, sealed, CONTEXT)
  return stored.map((text, i) => (isSealed(text) ? (opened[i] ?? null) : text))
}

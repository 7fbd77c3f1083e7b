import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openFor, sealFor } from '../../platform/security/account-keys.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { canonicalAddress, hasValidDomain, hasValidLocalPart } from './addresses.ts'

const MAX_TYPED = 254

export const EMAIL = 'email'

export const Address = z
  .string()
  .max(MAX_TYPED)
  .overwrite(canonicalAddress)
  .refine(hasValidLocalPart, { error: 'must be an email address', abort: true })
  .refine(hasValidDomain, 'must have a valid domain after the @, like example.com')
  .openapi({ example: 'ada@example.com' })

/** The blind index of an address: a keyed hash in the form of an address, as better-auth requires. */
export async function emailIndex(ctx: SystemCtx, address: string): Promise<string> {
  return `${await blindIndex(ctx.config, 'email', address)}@index.invalid`
}

export function sealEmail(ctx: SystemCtx, accountId: Id, address: string): Promise<string> {
  return sealFor(ctx, accountId, address, EMAIL)
}

/** Null if the key of the account was destroyed. */
export function openEmail(ctx: SystemCtx, accountId: Id, sealed: string): Promise<string | null> {
  return openFor(ctx, accountId, sealed, EMAIL)
}

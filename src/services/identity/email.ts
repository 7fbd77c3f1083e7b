import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openFor, sealFor } from '../../platform/security/account-keys.ts'
import { blindIndex } from '../../platform/security/crypto.ts'

const ADDRESS = /^[^\s@<>"(),:;[\]\\]{1,64}@(?:[^\s@<>"(),:;[\]\\.]{1,63}\.)+[^\s@<>"(),:;[\]\\.\d]{2,63}$/
const CONTROL = /\p{Cc}/u

export const EMAIL = 'email'

export const Address = z
  .string()
  .max(254)
  .trim()
  .normalize('NFC')
  .toLowerCase()
  .regex(ADDRESS, 'must be an email address')
  .refine((address) => !CONTROL.test(address), 'must be an email address')
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

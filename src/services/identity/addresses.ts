import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { blindIndex, open, seal } from '../../platform/crypto.ts'
import type { Id } from '../../platform/ids.ts'

const ADDRESS = /^[^\s\p{Cc}@<>"(),:;[\]\\]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}{2,63}$/u

/** An e-mail address, in the one form under which we know it. */
export const Address = z
  .string()
  .max(254)
  .trim()
  .normalize('NFC')
  .toLowerCase()
  .regex(ADDRESS, 'must be an e-mail address')
  .openapi({ example: 'ada@example.com' })

/** What stands for an address where it is looked up: a keyed hash in the form of an address. */
export async function indexOf(ctx: SystemCtx, address: string): Promise<string> {
  return `${await blindIndex(ctx.config, 'email', address)}@index.invalid`
}

export function sealAddress(ctx: SystemCtx, accountId: Id, address: string): Promise<string> {
  return seal(ctx.config, address, `email:${accountId}`)
}

export function openAddress(ctx: SystemCtx, accountId: Id, sealed: string): Promise<string> {
  return open(ctx.config, sealed, `email:${accountId}`)
}

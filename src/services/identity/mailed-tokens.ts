import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { type Failure, invalid } from '../../platform/failures.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'

export const MailedToken = z.string().max(120)

type Purpose = 'reset password' | 'confirm address' | 'undo change of address' | 'undo second factor'
type Parts = { accountId: Id; until: number; signature: string }

/** `state` contains what the use of the token changes, so that it works once without being stored. */
type Claims = { accountId: Id; until: number; state: string }

export async function mailedToken(ctx: SystemCtx, purpose: Purpose, claims: Claims): Promise<string> {
  return `${claims.accountId}.${claims.until}.${await sign(ctx.config, purpose, textOf(claims))}`
}

export function isGenuine(ctx: SystemCtx, purpose: Purpose, { signature, ...parts }: Parts, state: string) {
  return verifySignature(ctx.config, purpose, textOf({ ...parts, state }), signature)
}

/** Throws the failure of a bad token if the token is malformed or expired. */
export function partsOf(ctx: SystemCtx, token: string): Parts {
  const [account, until, signature, ...rest] = token.split('.')
  const accountId = Id.safeParse(account)
  if (!accountId.success || !signature || rest.length > 0 || !(Number(until) > ctx.now())) throw badToken()
  return { accountId: accountId.data, until: Number(until), signature }
}

/** The same failure for every bad token: a reason would tell a stranger what the account has done. */
export function badToken(): Failure {
  return invalid('token', 'is wrong, expired or already used; ask for a new one')
}

function textOf({ accountId, until, state }: Claims): string {
  return `${accountId} ${until} ${state}`
}

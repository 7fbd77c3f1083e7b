import { and, eq, exists, isNotNull, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { SystemCtx } from '../../../platform/context.ts'
import { any, flag, one, query } from '../../../platform/data/conditions.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { isPasswordOf } from '../names.ts'
import { credentials, users } from '../tables.ts'
import { passkeys, totpFactors } from './factor-tables.ts'

export type Factors = Awaited<ReturnType<typeof readFactors>>

export function hasTotp(accountId: Id | SQLWrapper): SQL {
  const own = and(eq(totpFactors.accountId, accountId), isNotNull(totpFactors.confirmedAt))
  return exists(query.select(one).from(totpFactors).where(own))
}

export function hasPasskey(accountId: Id | SQLWrapper): SQL {
  return exists(query.select(one).from(passkeys).where(eq(passkeys.accountId, accountId)))
}

/** Whether a password alone does not log in. */
export function hasFactor(accountId: Id | SQLWrapper): SQL {
  return any(hasTotp(accountId), hasPasskey(accountId))
}

/** How the account can prove who it is, read at the primary. `isOn`: whether it has a second factor. */
export async function readFactors(ctx: SystemCtx, accountId: Id) {
  const [found] = await atPrimary(ctx)
    .directory.select({
      totp: flag(hasTotp(users.id), 'totp'),
      passkey: flag(hasPasskey(users.id), 'passkey'),
      hash: credentials.password,
    })
    .from(users)
    .leftJoin(credentials, isPasswordOf(users.id))
    .where(eq(users.id, accountId))
  const { totp = false, passkey = false, hash = null } = found ?? {}
  return { totp, passkey, hash, isOn: totp || passkey }
}

import { and, eq, isNotNull } from 'drizzle-orm'
import type { SystemCtx } from '../../../platform/context.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { UNDO_FACTOR_HOURS } from '../lifetimes.ts'
import { badToken, isGenuine, mailedToken, partsOf } from '../mailed-tokens.ts'
import { users } from '../tables.ts'
import { passkeys, totpFactors } from './factor-tables.ts'

const UNDO = 'undo second factor'

/** `addedAt`: epoch ms. `address`: the blind index of that of the account, so that a former mailbox undoes nothing. */
export type Added = { factor: 'totp' | 'passkey'; id: string; addedAt: number; address: string }

const untilOf = ({ addedAt }: Added) => addedAt + UNDO_FACTOR_HOURS * 3_600_000
const stateOf = ({ factor, id, address }: Added) => `${factor} ${id} ${address}`

/** The token that undoes the addition of a factor, by the id in its mail; null if the factor is gone. */
export async function undoFactorToken(ctx: SystemCtx, accountId: Id, id: string | null): Promise<string | null> {
  const added = (await readAdded(ctx, accountId)).find((candidate) => candidate.id === id)
  return added ? mailedToken(ctx, UNDO, { accountId, until: untilOf(added), state: stateOf(added) }) : null
}

/** The factor that the token removes. */
export async function readUndoneFactor(ctx: SystemCtx, token: string) {
  const parts = partsOf(ctx, token)
  for (const added of await readAdded(ctx, parts.accountId)) {
    if (await isGenuine(ctx, UNDO, parts, stateOf(added))) return { accountId: parts.accountId, added }
  }
  throw badToken()
}

/** An authenticator app has the time of its confirmation as its id: a later one is another factor. */
async function readAdded(ctx: SystemCtx, accountId: Id): Promise<Added[]> {
  const { directory } = atPrimary(ctx)
  const [[user], apps, keys] = await directory.batch([
    directory.select({ address: users.email }).from(users).where(eq(users.id, accountId)),
    directory
      .select({ at: totpFactors.confirmedAt })
      .from(totpFactors)
      .where(and(eq(totpFactors.accountId, accountId), isNotNull(totpFactors.confirmedAt))),
    directory
      .select({ id: passkeys.id, at: passkeys.createdAt })
      .from(passkeys)
      .where(eq(passkeys.accountId, accountId)),
  ])
  const { address } = user ?? {}
  if (address === undefined) return []
  return [
    ...apps.flatMap(({ at }) =>
      at === null ? [] : [{ factor: 'totp' as const, id: String(at), addedAt: at, address }],
    ),
    ...keys.map(({ id, at }) => ({ factor: 'passkey' as const, id, addedAt: at, address })),
  ]
}

import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { RESET_MINUTES } from './lifetimes.ts'
import { badToken, isGenuine, mailedToken, partsOf } from './mailed-tokens.ts'
import { readPerson } from './people.ts'

const PURPOSE = 'reset password'

/** A token that resets the password once, unless the password or the address changes first. */
export async function resetToken(ctx: SystemCtx, accountId: Id): Promise<string | null> {
  const person = await readPerson(ctx, accountId)
  const until = ctx.now() + RESET_MINUTES * 60_000
  return person && mailedToken(ctx, PURPOSE, { accountId, until, state: stateOf(person) })
}

/** The person whose password the token may reset. */
export async function personOf(ctx: SystemCtx, token: string) {
  const parts = partsOf(ctx, token)
  const person = await readPerson(ctx, parts.accountId)
  if (!person || !(await isGenuine(ctx, PURPOSE, parts, stateOf(person)))) throw badToken()
  return person
}

function stateOf({ address, hash }: { address: string; hash: string | null }): string {
  return `${address} ${hash}`
}

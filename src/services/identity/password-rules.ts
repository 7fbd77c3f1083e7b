import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { invalid } from '../../platform/failures.ts'
import { isBreached } from './breached-passwords.ts'
import { isRepeated, isWalk } from './password-patterns.ts'

export const MIN_LENGTH = 15
const MIN_LENGTH_WITH_FACTOR = 8
const MAX_LENGTH = 128
const MIN_DISTINCT = 5

const lengthOf = (password: string): number => [...password.normalize('NFC')].length
/** 8, because NFC joins up to 4 code points of up to 2 UTF-16 units. Normalizing a much longer text may take long. */
const isShortEnough = (password: string) => password.length <= MAX_LENGTH * 8 && lengthOf(password) <= MAX_LENGTH
export const isLongEnough = (password: string) => lengthOf(password) >= MIN_LENGTH
const TOO_SHORT = `must have at least ${MIN_LENGTH} characters`

/** For login: a longer password cannot be right. */
export const Password = z
  .string()
  .refine(isShortEnough, { error: `must have at most ${MAX_LENGTH} characters`, abort: true })
  .openapi({ maxLength: MAX_LENGTH })
/** For a new password; `requireStrong` checks the rest. */
export const NewPassword = Password.refine(isLongEnough, TOO_SHORT).openapi({
  minLength: MIN_LENGTH,
})
/** For a new password of an account that may have a second factor, with which fewer characters are enough. */
export const ReplacedPassword = Password.refine(
  (password) => lengthOf(password) >= MIN_LENGTH_WITH_FACTOR,
  TOO_SHORT,
).openapi({
  minLength: MIN_LENGTH_WITH_FACTOR,
  description: `At least ${MIN_LENGTH} characters, or ${MIN_LENGTH_WITH_FACTOR} if the account has a second factor`,
})

type Person = { handle: string; address: string; hasFactor?: boolean }

/** Throws `invalid` if a new password is too easy to guess. Follows NIST SP 800-63B-4. */
export async function requireStrong(ctx: SystemCtx, password: string, person: Person): Promise<void> {
  const weakness = await weaknessOf(ctx, password, person)
  if (weakness) throw invalid('password', weakness)
}

async function weaknessOf(
  ctx: SystemCtx,
  password: string,
  { handle, address, hasFactor }: Person,
): Promise<string | null> {
  if (!hasFactor && !isLongEnough(password)) return TOO_SHORT
  const folded = password.normalize('NFC').toLowerCase()
  if (new Set(folded).size < MIN_DISTINCT) return `must have at least ${MIN_DISTINCT} different characters`
  if (isRepeated(folded)) return 'must not repeat itself'
  if (isWalk(folded)) return 'must not be a row of neighboring keys, letters or digits'
  if (contains(folded, handle)) return 'must not contain the handle'
  if (contains(folded, address.split('@')[0]!)) return 'must not contain the name before the @ of the address'
  const { isCommon } = await import('./common-passwords.ts')
  if (await isCommon(folded)) return 'is one of the most common passwords'
  if (await isBreached(ctx, password)) return 'was found in a data breach; choose one that you use nowhere else'
  return null
}

/** Short names are ignored, because they occur inside many words. */
function contains(folded: string, name: string): boolean {
  return name.length > 3 && folded.includes(name)
}

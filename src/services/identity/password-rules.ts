import { z } from '@hono/zod-openapi'

export const MIN_LENGTH = 15
const MAX_LENGTH = 128
const MIN_DISTINCT = 5

const commonPasswords = new Set([
  '123456789012345',
  '1234567890123456',
  '12345678901234567890',
  '0123456789012345',
  '1q2w3e4r5t6y7u8i',
  '1q2w3e4r5t6y7u8i9o0p',
  '1qaz2wsx3edc4rfv',
  '1qaz2wsx3edc4rfv5tgb',
  'abcdefghijklmno',
  'abcdefghijklmnop',
  'abcdefghijklmnopqrstuvwxyz',
  'administrator123',
  'changemechangeme',
  'correcthorsebatterystaple',
  'correct horse battery staple',
  'iloveyouiloveyou',
  'iloveyousomuch123',
  'letmeinletmeinletmein',
  'loremipsumdolorsit',
  'mypasswordispassword',
  'passw0rdpassw0rd',
  'password12345678',
  'password123456789',
  'password1234567890',
  'passwordpassword',
  'passwordpassword1',
  'passwordpassword123',
  'passwordpasswordpassword',
  'qazwsxedcrfvtgb',
  'qwertyqwertyqwerty',
  'qwertyuiop12345',
  'qwertyuiop123456',
  'qwertyuiop1234567890',
  'qwertyuiopasdfg',
  'qwertyuiopasdfgh',
  'qwertyuiopasdfghjkl',
  'qwertyuiopasdfghjklzxcvbnm',
  'thisisapassword',
  'thisismypassword',
  'trustno1trustno1',
  'welcome123456789',
  'welcomewelcome1',
  'zxcvbnmasdfghjkl',
])

const lengthOf = (password: string): number => [...password.normalize('NFC')].length
/** 8, because NFC joins up to 4 code points of up to 2 UTF-16 units. Normalizing a much longer text may take long. */
const isShortEnough = (password: string) => password.length <= MAX_LENGTH * 8 && lengthOf(password) <= MAX_LENGTH
const isLongEnough = (password: string) => lengthOf(password) >= MIN_LENGTH

/** For login: a longer password cannot be right. */
export const Password = z
  .string()
  .refine(isShortEnough, { error: `must have at most ${MAX_LENGTH} characters`, abort: true })
  .openapi({ maxLength: MAX_LENGTH })
/** For registration; `weaknessOf` checks the rest. */
export const NewPassword = Password.refine(isLongEnough, `must have at least ${MIN_LENGTH} characters`).openapi({
  minLength: MIN_LENGTH,
})

/** Why this person's password is too easy to guess, or null if it is not. Follows NIST SP 800-63B-4. */
export function weaknessOf(password: string, person: { handle: string; address: string }): string | null {
  const folded = password.normalize('NFC').toLowerCase()
  if (commonPasswords.has(folded)) return 'is one of the most common passwords'
  if (new Set(folded).size < MIN_DISTINCT) return `must have at least ${MIN_DISTINCT} different characters`
  if (contains(folded, person.handle)) return 'must not contain the handle'
  if (contains(folded, person.address.split('@')[0]!)) return 'must not contain the name before the @ of the address'
  return null
}

/** Short names are ignored, because they occur inside many words. */
function contains(folded: string, name: string): boolean {
  return name.length > 3 && folded.includes(name)
}

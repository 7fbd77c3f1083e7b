import { sha256 } from '../../platform/security/crypto.ts'
import { HASHES } from './common-passwords-list.ts'
import { HASHES as SHORT_HASHES } from './common-short-passwords-list.ts'

const BITS = 28
const known = new Set([HASHES, SHORT_HASHES].flatMap(decoded))

/** Whether a list has a password (lower case, form C). One in 13,000 others is refused too: hashes have 28 bits. */
export async function isCommon(password: string): Promise<boolean> {
  const digest = await sha256(password)
  return known.has(new DataView(digest.buffer).getUint32(0) >>> (32 - BITS))
}

/** The sorted numbers of a list, which holds their differences in groups of 7 bits. */
function decoded(list: string): number[] {
  const numbers: number[] = []
  let [number, factor] = [0, 1]
  for (const byte of Uint8Array.fromBase64(list)) {
    number += (byte % 128) * factor
    factor *= 128
    if (byte >= 128) continue
    numbers.push(number)
    factor = 1
  }
  return numbers
}

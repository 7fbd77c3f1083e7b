import { sha256 } from '../../platform/security/crypto.ts'
import { HASHES } from './common-passwords-list.ts'
import { HASHES as SHORT_HASHES } from './common-short-passwords-list.ts'

const SIZE = 4
const lists = [HASHES, SHORT_HASHES].map((hashes) => new DataView(Uint8Array.fromBase64(hashes).buffer))

/** Whether a list has a password (lower case, form C). One in 200,000 others is refused too: hashes have 4 bytes. */
export async function isCommon(password: string): Promise<boolean> {
  const digest = await sha256(password)
  const wanted = new DataView(digest.buffer).getUint32(0)
  return lists.some((list) => has(list, wanted))
}

function has(list: DataView, wanted: number): boolean {
  let [from, to] = [0, list.byteLength / SIZE]
  while (from < to) {
    const middle = (from + to) >>> 1
    const found = list.getUint32(middle * SIZE)
    if (found === wanted) return true
    if (found < wanted) from = middle + 1
    else to = middle
  }
  return false
}

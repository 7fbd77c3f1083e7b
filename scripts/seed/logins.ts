import { argon2Sync } from 'node:crypto'
import type { Config } from '../../src/platform/config.ts'
import { sealFor } from '../../src/platform/security/account-keys.ts'
import { blindIndex } from '../../src/platform/security/crypto.ts'
import { EMAIL } from '../../src/services/identity/email.ts'
import { credentials, handles, users } from '../../src/services/identity/tables.ts'
import { type Community, type Entry, entry } from './community.ts'

/** The password of every seeded person. */
export const PASSWORD = 'open sesame, said the seed'

/** Directory rows as if all people had registered and verified their email addresses. */
export async function loginRows({ people, random }: Community, config: Config, KEYS: R2Bucket): Promise<Entry[]> {
  const password = hashOf(PASSWORD)
  const rows: Entry[] = []
  for (const { id, handle, joinedAt } of people) {
    const address = `${handle}@people.example`
    const sealedAddress = await sealFor({ env: { KEYS }, config }, id, address, EMAIL)
    const email = `${await blindIndex(config, 'email', address)}@index.invalid`
    const at = { createdAt: new Date(joinedAt), updatedAt: new Date(joinedAt) }
    const credential = { id: uuid(random.next), accountId: id, providerId: 'credential', userId: id, password }
    rows.push(
      entry('DIRECTORY', users, { id, email, emailVerified: true, sealedAddress, ...at }),
      entry('DIRECTORY', handles, { handle, accountId: id, address: email, reservedUntil: null, mailedAt: joinedAt }),
      entry('DIRECTORY', credentials, { ...credential, ...at }),
    )
  }
  return rows
}

/** A hash in the format of src/services/identity/passwords.ts, with a fixed salt so equal seeds give equal rows. */
function hashOf(password: string): string {
  const nonce = Buffer.from('a salt for seeds')
  const cost = { memory: 19_456, passes: 2, parallelism: 1 }
  const hash = argon2Sync('argon2id', { message: password, nonce, tagLength: 32, ...cost })
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${text(nonce)}$${text(hash)}`
}

/** A version 4 UUID from the seeded random numbers, so that equal seeds give equal rows. */
function uuid(next: () => number): string {
  const digits = Array.from({ length: 31 }, () => Math.floor(next() * 16).toString(16)).join('')
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(12, 15)}`, `8${digits.slice(15, 18)}`]
  return [...parts, digits.slice(18, 30)].join('-')
}

import { argon2Sync } from 'node:crypto'
import { credentials, handles, users } from '../../src/services/identity/tables.ts'
import { blindIndex, type Keyring, seal, steadyIv } from '../seal.ts'
import { type Community, type Entry, entry } from './community.ts'

/** The password of every seeded person. */
export const PASSWORD = 'open sesame, said the seed'

/** The keys of the system that the rows are for. */
export type Keys = { keyring: Keyring; indexKey: string }

/** What the directory knows of people who have registered and verified their addresses. */
export function* loginRows({ people, random }: Community, { keyring, indexKey }: Keys): Generator<Entry> {
  const password = hashOf(PASSWORD)
  for (const { id, handle, joinedAt } of people) {
    const address = `${handle}@people.example`
    const context = `email:${id}`
    const sealedAddress = seal(keyring, address, context, steadyIv(keyring, address, context))
    const email = `${blindIndex(indexKey, 'email', address)}@index.invalid`
    const at = { createdAt: new Date(joinedAt), updatedAt: new Date(joinedAt) }
    yield entry('DIRECTORY', users, { id, email, emailVerified: true, sealedAddress, ...at })
    yield entry('DIRECTORY', handles, {
      handle,
      accountId: id,
      address: email,
      reservedUntil: null,
      mailedAt: joinedAt,
    })
    const credential = { id: uuid(random.next), accountId: id, providerId: 'credential', userId: id, password }
    yield entry('DIRECTORY', credentials, { ...credential, ...at })
  }
}

/** As src/services/identity/passwords.ts has it; the salt is steady, so that the row is. */
function hashOf(password: string): string {
  const nonce = Buffer.from('a salt for seeds')
  const cost = { memory: 19_456, passes: 2, parallelism: 1 }
  const hash = argon2Sync('argon2id', { message: password, nonce, tagLength: 32, ...cost })
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${text(nonce)}$${text(hash)}`
}

function uuid(next: () => number): string {
  const digits = Array.from({ length: 31 }, () => Math.floor(next() * 16).toString(16)).join('')
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(12, 15)}`, `8${digits.slice(15, 18)}`]
  return [...parts, digits.slice(18, 30)].join('-')
}

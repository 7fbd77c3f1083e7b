import { env } from 'cloudflare:workers'
import Argon2 from '@phi-ag/argon2'
import { expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { emailIndex } from '../../../src/services/identity/email.ts'
import { register } from '../../support/auth.ts'
import { insertRows, unusedId } from '../../support/databases.ts'
import { interceptMails } from '../../support/mails.ts'
import { drained } from '../../support/outboxes.ts'

const hash = vi.spyOn(Argon2.prototype, 'hash')
const TRIES = 200
interceptMails()

/** Inserts a verified user for each address. */
async function insertUsers(addresses: string[]): Promise<void> {
  const ctx = createContext({ env, waitUntil: () => {} })
  const rows = await Promise.all(
    addresses.map(async (address) => ({
      id: Number(unusedId(0)),
      email: await emailIndex(ctx, address),
      email_verified: 1,
      sealed_address: '',
      created_at: 0,
      updated_at: 0,
    })),
  )
  await insertRows(env.DIRECTORY, 'users', rows)
}

/** All that a client can observe of a response, and the counted work behind it. */
async function observed(response: Response): Promise<string> {
  const variable = ['x-request-id', 'ratelimit', 'x-bookmarks', 'x-cost']
  const headers = [...response.headers].filter(([name]) => !variable.includes(name))
  const databases = response.headers.get('x-bookmarks')?.replace(/=[^;]+/g, '')
  const { trips, objectCalls, queueMessages } = JSON.parse(response.headers.get('x-cost')!)
  const body = (await response.text()).replace(/[\w-]{43}/, 'SIGNATURE')
  return JSON.stringify([response.status, headers, databases, body, { trips, objectCalls, queueMessages }])
}

test('200 registrations with known and 200 with unknown addresses get equal responses for equal work', async () => {
  await register('warm_up')
  const addressesOf = (kind: string) => Array.from({ length: TRIES }, (_, i) => `${kind}_${i}@example.com`)
  const known = addressesOf('known')
  await insertUsers(known)
  const seen: Record<string, Set<string>> = {}
  const hashes: number[] = []
  for (const [kind, addresses] of Object.entries({ known, unknown: addressesOf('unknown') })) {
    const before = hash.mock.calls.length
    seen[kind] = new Set()
    for (const [i, email] of addresses.entries()) {
      seen[kind].add(await observed(await register(`${kind.slice(0, 2)}_handle_${i}`, { email })))
    }
    hashes.push(hash.mock.calls.length - before)
  }
  expect([...seen.known!]).toHaveLength(1)
  expect(seen.known).toEqual(seen.unknown)
  expect(hashes).toEqual([TRIES, TRIES])
  await drained()
}, 120_000)

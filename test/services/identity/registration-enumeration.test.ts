import { env } from 'cloudflare:workers'
import Argon2 from '@phi-ag/argon2'
import { expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { mapConcurrently } from '../../../src/platform/data/shards.ts'
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
async function observed(response: Response) {
  const variable = ['x-request-id', 'ratelimit', 'x-bookmarks', 'x-cost']
  const headers = [...response.headers].filter(([name]) => !variable.includes(name))
  const databases = response.headers.get('x-bookmarks')?.replace(/=[^;]+/g, '')
  const { trips, objectCalls, queueMessages } = JSON.parse(response.headers.get('x-cost')!)
  const body = (await response.text()).replace(/[\w-]{43}/, 'SIGNATURE')
  return { answer: JSON.stringify([response.status, headers, databases, body, { trips, queueMessages }]), objectCalls }
}

async function registerAll(kind: string, addresses: string[]) {
  const before = hash.mock.calls.length
  const named = addresses.map((email, i) => ({ email, handle: `${kind}_handle_${i}` }))
  const all = await mapConcurrently(named, async ({ handle, email }) => observed(await register(handle, { email })))
  return {
    answers: new Set(all.map(({ answer }) => answer)),
    fewestCalls: Math.min(...all.map(({ objectCalls }) => objectCalls)),
    // One more than the fewest, if the sweeper of the directory sleeps and is woken.
    mostCalls: Math.max(...all.map(({ objectCalls }) => objectCalls)) <= 4,
    hashes: hash.mock.calls.length - before,
  }
}

test('200 registrations with known and 200 with unknown addresses get equal responses for equal work', async () => {
  await register('warm_up')
  const addressesOf = (kind: string) => Array.from({ length: TRIES }, (_, i) => `${kind}_${i}@example.com`)
  await insertUsers(addressesOf('known'))
  const known = await registerAll('known', addressesOf('known'))
  const unknown = await registerAll('new', addressesOf('unknown'))
  expect(known.answers.size).toBe(1)
  expect(known).toEqual(unknown)
  expect(known).toMatchObject({ fewestCalls: 2, mostCalls: true, hashes: TRIES })
  await drained()
}, 240_000)

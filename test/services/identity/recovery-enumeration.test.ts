import Argon2 from '@phi-ag/argon2'
import { beforeAll, expect, test, vi } from 'vitest'
import type { Cost } from '../../../src/platform/observability/cost.ts'
import { markSuspended, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { logIn, register } from '../../support/auth.ts'
import { interceptMails } from '../../support/mails.ts'
import { delivered } from '../../support/outboxes.ts'
import { changeAddress, changeHandle, forgot, resend } from '../../support/recovery.ts'

// What a stranger can observe of a request must not depend on whether the name that it contains belongs to an account.

const { mailsTo } = interceptMails()
const TRIES = 200
const TIMEOUT = 180_000

let people: RegisteredUser[]
const hashes = () => hash.mock.calls.length + verify.mock.calls.length
const hash = vi.spyOn(Argon2.prototype, 'hash')
const verify = vi.spyOn(Argon2.prototype, 'tryVerify')

beforeAll(async () => {
  people = await Promise.all(Array.from({ length: 40 }, (_, i) => registeredUser(`known_${i}`)))
  await delivered()
}, TIMEOUT)

type Observed = { kinds: Set<string>; mostRowsRead: number; leastObjectCalls: number; hashes: number }

/** All that a client can observe of the responses, and what they cost, without the values that differ each time. */
async function observe(tries: (() => Promise<Response>)[]): Promise<Observed> {
  const before = hashes()
  const responses: Response[] = []
  for (let at = 0; at < tries.length; at += 20) {
    responses.push(...(await Promise.all(tries.slice(at, at + 20).map((attempt) => attempt()))))
  }
  const costs = responses.map(({ headers }): Cost => JSON.parse(headers.get('x-cost')!))
  return {
    kinds: new Set(await Promise.all(responses.map(kindOf))),
    // The first write of a second also wakes the sweepers, and a lease may be older, whatever the name.
    leastObjectCalls: Math.min(...costs.map(({ objectCalls }) => objectCalls)),
    mostRowsRead: Math.max(...costs.map(({ rowsRead }) => rowsRead)),
    hashes: hashes() - before,
  }
}

async function kindOf(response: Response): Promise<string> {
  const { rowsRead, objectCalls, ...cost }: Cost = JSON.parse(response.headers.get('x-cost')!)
  const variable = ['x-request-id', 'x-bookmarks', 'x-cost', 'ratelimit']
  const headers = [...response.headers].filter(([name]) => !variable.includes(name))
  // Without the shards, because those are the caller's own.
  const databases = response.headers
    .get('x-bookmarks')
    ?.replace(/=[^;]+/g, '')
    .replace(/;\d+/g, '')
  return JSON.stringify({ status: response.status, headers, databases, body: await response.text(), cost })
}

/** Each name is tried equally often, because requests are also limited per name. */
const each = (names: string[], call: (name: string) => Promise<Response>) =>
  Array.from({ length: TRIES }, (_, i) => () => call(names[i % names.length]!))

async function expectAlike(known: (() => Promise<Response>)[], unknown: (() => Promise<Response>)[]): Promise<void> {
  const [first, second] = [await observe(known), await observe(unknown)]
  expect([...first.kinds]).toEqual([expect.any(String)])
  expect(second).toEqual(first)
}

test('hashes of passwords are counted', async () => {
  const before = hashes()
  expect((await logIn('known_0')).status).toBe(200)
  expect(hashes()).toBe(before + 1)
})

test(
  'a reset email: verified, unverified, suspended and former names are like names that nobody has',
  async () => {
    await register('unverified_0')
    await changeHandle(people[0]!, 'known_renamed')
    await markSuspended(people[1]!.id)
    await delivered()
    const known = [
      'known_0',
      'known_renamed',
      'known_1',
      'known_1@example.com',
      'unverified_0',
      'unverified_0@example.com',
    ]
    const more = people.slice(2, 8).flatMap(({ handle }) => [handle, `${handle}@example.com`])
    const unknown = [...known, ...more].map((name) => `no_${name}`)
    await expectAlike(each([...known, ...more], forgot), each(unknown, forgot))
    await delivered()
    const resets = (address: string) => mailsTo(address).filter(({ subject }) => subject === 'Reset your password')
    expect(resets('known_2@example.com')).not.toEqual([])
    for (const name of ['no_known_2', 'unverified_0']) expect(resets(`${name}@example.com`)).toEqual([])
    expect(mailsTo('no_known_2@example.com')).toEqual([])
  },
  TIMEOUT,
)

test(
  'another verification email: verified and unverified addresses are like addresses that nobody has',
  async () => {
    await Promise.all(Array.from({ length: 5 }, (_, i) => register(`waiting_${i}`)))
    await delivered()
    const waiting = Array.from({ length: 5 }, (_, i) => `waiting_${i}@example.com`)
    const known = [...waiting, ...people.slice(10, 15).map(({ handle }) => `${handle}@example.com`)]
    const unknown = known.map((address) => `no_${address}`)
    await expectAlike(each(known, resend), each(unknown, resend))
    await delivered()
    expect(mailsTo('waiting_0@example.com')).toHaveLength(2)
    expect(mailsTo('no_waiting_0@example.com')).toEqual([])
  },
  TIMEOUT,
)

test(
  'a change of address: an address of another account is like an address that nobody has',
  async () => {
    const [first, second] = [people.slice(0, 20), people.slice(20)]
    const tries = (by: RegisteredUser[], address: (i: number) => string) =>
      Array.from({ length: TRIES }, (_, i) => () => changeAddress(by[i % 20]!, address(i % 20)))
    await expectAlike(
      tries(second, (i) => `known_${i}@example.com`),
      tries(first, (i) => `nobody_${i}@example.com`),
    )
  },
  TIMEOUT,
)

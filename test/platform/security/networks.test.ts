import { expect, test } from 'vitest'
import { clientIpOf } from '../../../src/platform/http/client-ip.ts'
import { defineLimit, spend } from '../../../src/platform/security/rate-limit.ts'
import { contextWith } from '../../support/platform.ts'
import { advance, isolateRateLimits } from '../../support/rate-limits.ts'

isolateRateLimits()

const limit = defineLimit('ofNetworks', { quota: 8, window: 60 })
let networks = 0
const newNetwork = () => `2001:db8:${networks++}`

/** Sends `many` requests from the n-th /64 of the network. Returns how many pass, and the calls to the AccessGuard. */
async function send(network: string, n: number, many = 1) {
  const contexts = Array.from({ length: many }, () => contextWith())
  const client = clientIpOf(`${network}:${n.toString(16)}::1`)
  const results = await Promise.allSettled(contexts.map((ctx) => spend(ctx, limit, client)))
  const refused = results.filter((result) => result.status === 'rejected')
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'rate_limited' })
  return { passed: many - refused.length, calls: contexts.reduce((sum, { cost }) => sum + cost.objectCalls, 0) }
}

test('each /64 has its own budget, and all /64s of a /48 together have ten of them', async () => {
  const network = newNetwork()
  const passed: number[] = []
  for (let n = 0; n < 12; n++) passed.push((await send(network, n, 12)).passed)
  expect(passed).toEqual([...Array(10).fill(8), 0, 0])
  expect((await send(newNetwork(), 0)).passed).toBe(1)
})

test('an attacker who changes the /64 with every request is refused after ten budgets, without further calls', async () => {
  const network = newNetwork()
  let passed = 0
  for (let n = 0; n < 100; n++) passed += (await send(network, n)).passed
  expect(passed).toBe(80)
  const later = await Promise.all(Array.from({ length: 20 }, (_, n) => send(network, 200 + n)))
  expect(later).toEqual(Array(20).fill({ passed: 0, calls: 0 }))
})

test('after the window of a network, its addresses have their whole budgets again', async () => {
  const network = newNetwork()
  for (let n = 0; n < 11; n++) await send(network, n, 12)
  advance(59)
  expect((await send(network, 0)).passed).toBe(0)
  advance(1)
  expect((await send(network, 0, 12)).passed).toBe(8)
  expect((await send(network, 11, 12)).passed).toBe(8)
})

test('a request takes one call of the AccessGuard for its address and its network together', async () => {
  expect(await send(newNetwork(), 0)).toEqual({ passed: 1, calls: 1 })
})

import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { noCost } from '../../../src/platform/observability/cost.ts'
import { countingEnv } from '../../../src/platform/observability/counting-env.ts'

test('countingEnv counts calls of Durable Objects and R2, KV reads and queue messages, and the bindings still work', async () => {
  const cost = noCost()
  const counted = countingEnv(env, cost)
  await counted.SWEEPER.getByName('counted').ready()
  await counted.HUB.get(counted.HUB.idFromName('counted'))
    .fetch('https://hub/')
    .catch(() => {})
  expect(cost.objectCalls).toBe(2)

  await counted.CACHE.put('counted', 'x')
  expect([await counted.CACHE.get('counted'), cost.cacheReads]).toEqual(['x', 1])

  await counted.KEYS.put('counted', 'x')
  expect([await (await counted.KEYS.get('counted'))?.text(), cost.bucketCalls]).toEqual(['x', 2])

  const queue = { send: async () => {}, sendBatch: async () => {} }
  const withQueue = countingEnv(Object.assign({ ...env }, { DELIVERIES: queue }), cost)
  await withQueue.DELIVERIES.send({})
  await withQueue.DELIVERIES.sendBatch([{ body: 1 }, { body: 2 }])
  expect(cost).toMatchObject({ queueMessages: 3, objectCalls: 2, cacheReads: 1 })
})

test('countingEnv returns variables and uncounted bindings unchanged', () => {
  const counted = countingEnv(env, noCost())
  expect([counted.SHARD_0, counted.ENVIRONMENT]).toEqual([env.SHARD_0, env.ENVIRONMENT])
})

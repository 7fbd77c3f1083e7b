import { expect, test } from 'vitest'
import { deadLetterSettings, queueOf, queues } from '../../../src/platform/events/queues.ts'
import settings from '../../../wrangler.toml?raw'

const environments = ['socialconnect', 'socialconnect-staging', 'socialconnect-production']

test('wrangler.toml declares the producers and consumers of every queue for every environment', () => {
  for (const prefix of environments) {
    for (const [binding, { name, batchSize, batchTimeout, retries, ...rest }] of Object.entries(queues)) {
      const limit = 'concurrency' in rest ? `max_concurrency = ${rest.concurrency}, ` : ''
      const queue = `${prefix}-${name}`
      const dead = deadLetterSettings
      for (const line of [
        `{ binding = "${binding}", queue = "${queue}" }`,
        `{ binding = "${binding}_DEAD", queue = "${queue}-dead" }`,
        `{ queue = "${queue}", max_batch_size = ${batchSize}, max_batch_timeout = ${batchTimeout}, max_retries = ${retries}, ${limit}dead_letter_queue = "${queue}-dead" }`,
        `{ queue = "${queue}-dead", max_batch_size = ${dead.batchSize}, max_batch_timeout = ${dead.batchTimeout}, max_retries = ${dead.retries}, retry_delay = ${dead.retryDelay} }`,
      ])
        expect(settings).toContain(line)
    }
  }
  const inEachEnvironment = 2 * Object.keys(queues).length
  expect(settings.match(/max_batch_size/g)).toHaveLength(environments.length * inEachEnvironment)
})

test('queueOf recognizes a queue by the suffix of its name and throws for an unknown name', () => {
  expect(queueOf('socialconnect-staging-fanout')).toEqual({ binding: 'FANOUT', isDead: false })
  expect(queueOf('socialconnect-events-dead')).toEqual({ binding: 'EVENTS', isDead: true })
  for (const unknown of ['socialconnect-other', 'dead', '']) expect(() => queueOf(unknown)).toThrow('is unknown')
})

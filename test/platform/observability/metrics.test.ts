import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { noCost } from '../../../src/platform/observability/cost.ts'
import { measure, span, traceId } from '../../../src/platform/observability/metrics.ts'

test('a span returns the result of its work and rethrows its error', async () => {
  expect(await span('outer', { id: '1', n: 2, yes: true }, () => span('inner', {}, async () => 'answer'))).toBe(
    'answer',
  )
  await expect(span('failing', {}, () => Promise.reject(new TypeError('no')))).rejects.toThrow(TypeError)
})

test('there is no trace id outside of a trace', () => {
  expect(traceId()).toBeUndefined()
})

test('a measurement has the route, method, status, duration and cost of a request', () => {
  const writeDataPoint = vi.fn()
  const measured = { route: '/v1/posts/:id', method: 'GET', status: 200, ms: 12, cost: { ...noCost(), trips: 2 } }
  measure({ ...env, METRICS: { writeDataPoint } }, measured)
  expect(writeDataPoint).toHaveBeenCalledExactlyOnceWith({
    indexes: ['/v1/posts/:id'],
    blobs: ['/v1/posts/:id', 'GET'],
    doubles: [200, 12, 2, 0, 0, 0, 0, 0, 0, 0],
  })
})

test('a measurement that cannot be written is dropped without an error', () => {
  const writeDataPoint = () => {
    throw new Error('down')
  }
  const measured = { route: '/', method: 'GET', status: 200, ms: 1, cost: noCost() }
  measure({ ...env, METRICS: { writeDataPoint } }, measured)
  measure({ ...env, METRICS: undefined as never }, measured)
})

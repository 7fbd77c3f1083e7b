import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { noCost } from '../../../src/platform/data/d1-session.ts'
import { measure, span, traceId } from '../../../src/platform/observability/metrics.ts'

test('a span answers what its work answers, and fails as it fails', async () => {
  expect(await span('outer', { id: '1', n: 2, yes: true }, () => span('inner', {}, async () => 'answer'))).toBe(
    'answer',
  )
  await expect(span('failing', {}, () => Promise.reject(new TypeError('no')))).rejects.toThrow(TypeError)
})

test('where nothing is traced there is no id of a trace', () => {
  expect(traceId()).toBeUndefined()
})

test('a measurement says of a request its route, method, status, time and cost', () => {
  const writeDataPoint = vi.fn()
  const measured = { route: '/v1/posts/:id', method: 'GET', status: 200, ms: 12, cost: { ...noCost(), trips: 2 } }
  measure({ ...env, ACTIVITY: { writeDataPoint } }, measured)
  expect(writeDataPoint).toHaveBeenCalledExactlyOnceWith({
    indexes: ['/v1/posts/:id'],
    blobs: ['/v1/posts/:id', 'GET'],
    doubles: [200, 12, 2, 0, 0, 0, 0, 0, 0],
  })
})

test('a measurement that cannot be written is dropped', () => {
  const writeDataPoint = () => {
    throw new Error('down')
  }
  const measured = { route: '/', method: 'GET', status: 200, ms: 1, cost: noCost() }
  measure({ ...env, ACTIVITY: { writeDataPoint } }, measured)
  measure({ ...env, ACTIVITY: undefined as never }, measured)
})

import { expect, test } from 'vitest'
import { isTimeZone, quietUntil } from '../../../src/services/deliveries/quiet-hours.ts'

const berlin = { timeZone: 'Europe/Berlin', from: 22 * 60, to: 7 * 60 }
const end = (at: string, hours = berlin) => {
  const until = quietUntil(Date.parse(at), hours)
  return until === null ? null : new Date(until).toISOString()
}

test('quiet hours may include midnight, and end at their time in the zone of the person', () => {
  expect(end('2026-07-01T19:59:00Z')).toBe(null)
  expect(end('2026-07-01T20:00:30Z')).toBe('2026-07-02T05:00:00.000Z')
  expect(end('2026-07-02T04:59:59Z')).toBe('2026-07-02T05:00:00.000Z')
  expect(end('2026-07-02T05:00:00Z')).toBe(null)
  expect(quietUntil(0, null)).toBe(null)
})

test('quiet hours end at their local time in the nights in which clocks are set forward or back', () => {
  expect(end('2026-03-28T22:00:00Z')).toBe('2026-03-29T05:00:00.000Z')
  expect(end('2026-10-24T21:00:00Z')).toBe('2026-10-25T06:00:00.000Z')
  const lateEnd = { timeZone: 'America/New_York', from: 0, to: 2 * 60 + 30 }
  expect(end('2026-03-08T05:30:00Z', lateEnd)).toMatch(/^2026-03-08T0(6|7):30:00/)
})

test('zones with half hours are supported, and unknown zones are refused', () => {
  expect(end('2026-01-01T17:00:00Z', { ...berlin, timeZone: 'Asia/Kolkata' })).toBe('2026-01-02T01:30:00.000Z')
  expect(['Europe/Berlin', 'UTC', 'Mars/Olympus', '+05:00', ''].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})

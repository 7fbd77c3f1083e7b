import { expect, onTestFinished, test, vi } from 'vitest'
import { wakeUnreached } from '../../../src/platform/events/sweeper.client.ts'
import { contextWith } from '../../support/platform.ts'

test('an isolate calls each sweeper once, and again if the call was cancelled with its request', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
  onTestFinished(() => void vi.useRealTimers())
  const calls: string[] = []
  let isCancelled = true
  const arm = async (source: string) => {
    calls.push(source)
    if (source === '1' && isCancelled) throw new Error('the request was cancelled')
  }
  const ctx = contextWith()
  ctx.env = { ...ctx.env, SWEEPER: { getByName: () => ({ arm }) } as never }
  const later = async (seconds: number) => {
    vi.setSystemTime(Date.now() + seconds * 1_000)
    wakeUnreached(ctx)
    await ctx.settled()
    return calls.splice(0)
  }
  expect(await later(0)).toEqual(['d', '0', '1'])
  expect(await later(1)).toEqual([])
  isCancelled = false
  expect(await later(5)).toEqual(['1'])
  expect(await later(6)).toEqual([])
})

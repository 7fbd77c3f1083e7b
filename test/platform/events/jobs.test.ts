import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Job, runJobs } from '../../../src/platform/events/jobs.ts'

const ran: string[] = []
const logged: string[] = []
const job = (name: string, minute: number, fails = false): Job => ({
  name,
  minute,
  run: async () => {
    ran.push(name)
    if (fails) throw new Error('broken')
  },
})

beforeEach(() => {
  ran.length = 0
  logged.length = 0
  vi.spyOn(console, 'log').mockImplementation((line: string) => void logged.push(line))
})
afterEach(() => vi.restoreAllMocks())

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute))
const run = (jobs: Job[], minute: number, bindings = env) => runJobs(jobs, at(minute), bindings, () => {})

test('each job runs in its minute of the hour, and only then', async () => {
  const jobs = [job('first', 5), job('second', 5), job('other', 6)]
  await run(jobs, 5)
  expect(ran).toEqual(['first', 'second'])
  await run(jobs, 7)
  expect(ran).toHaveLength(2)
})

test('a job that fails stops no other, and the log names it', async () => {
  await run([job('broken', 5, true), job('sound', 5)], 5)
  expect(ran).toEqual(['broken', 'sound'])
  expect(logged.join()).toContain('"job":"broken"')
})

test('the sweepers of all databases are woken, and jobs run even when they cannot be', async () => {
  await run([], 0)
  for (const source of ['d', '0', '1']) {
    const alarm = await runInDurableObject(env.SWEEPER.getByName(source), (_, state) => state.storage.getAlarm())
    expect(alarm).not.toBeNull()
  }
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
  const getByName = () => ({ arm: () => Promise.reject(new Error('down')) })
  await run([job('sound', 5)], 5, { ...env, SWEEPER: { getByName } as never })
  vi.useRealTimers()
  expect(ran).toEqual(['sound'])
})

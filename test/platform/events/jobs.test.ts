import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isDue, type Job, runJobs, shardJobHandler } from '../../../src/platform/events/jobs.ts'
import { contextWith } from '../../support/platform.ts'

const ran: string[] = []
const logged: string[] = []
const job = (name: string, every: Job['every'] = 'minute', fails = false): Job => ({
  name,
  every,
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

const noon = new Date(Date.UTC(2026, 0, 1, 12))
const run = (jobs: Job[], bindings = env) => runJobs(jobs, noon, bindings, () => {})
const minutesOfDay = Array.from({ length: 1_440 }, (_, minute) => new Date(Date.UTC(2026, 0, 1, 0, minute)))

test('a job is due every minute, once an hour or once a day, at a minute that depends on its name', () => {
  const due = (name: string, every: Job['every']) => minutesOfDay.filter((at) => isDue({ name, every }, at))
  expect(due('a', 'minute')).toHaveLength(1_440)
  expect(new Set(due('a', 'hour').map((at) => at.getUTCMinutes())).size).toBe(1)
  expect([due('a', 'hour').length, due('a', 'day').length]).toEqual([24, 1])
  expect(due('a', 'day')).not.toEqual(due('b', 'day'))
})

test('jobs that are due run, and jobs that are not due do not', async () => {
  const daily = minutesOfDay.findIndex((at) => isDue({ name: 'daily', every: 'day' }, at))
  await run([job('now'), job('daily', 'day')])
  expect(ran).toEqual(daily === 720 ? ['now', 'daily'] : ['now'])
})

test('a failing job does not stop other jobs, and the log names the failing job', async () => {
  await run([job('broken', 'minute', true), job('sound')])
  expect(ran).toEqual(['broken', 'sound'])
  expect(logged.join()).toContain('"job":"broken"')
})

test('a perShard job is enqueued as one task per shard, and each task runs the job with its shard', async () => {
  const shards: string[] = []
  const perShard: Job = {
    name: 'sweep',
    every: 'minute',
    perShard: true,
    run: async (_, db) => void shards.push(db.name),
  }
  const sent: { type: string; data: unknown }[] = []
  vi.spyOn(env.FANOUT, 'sendBatch').mockImplementation(async (messages) => {
    for (const { body } of messages) sent.push(body as (typeof sent)[number])
    return {} as never
  })
  await run([perShard])
  expect([shards, sent.map(({ data }) => data)]).toEqual([[], [0, 1].map((shard) => ({ name: 'sweep', shard }))])
  const handler = shardJobHandler([perShard])
  for (const { data } of sent) await handler.run(contextWith(), data)
  expect(shards).toEqual(['0', '1'])
  await expect(handler.run(contextWith(), { name: 'gone', shard: 0 })).rejects.toThrow('the job gone is unknown')
})

test('two jobs with the same name are refused', () => {
  expect(() => shardJobHandler([job('sweep'), job('purge'), job('sweep', 'day')])).toThrow(
    'the job sweep is declared twice',
  )
})

test('runJobs arms the sweepers of all databases, and jobs run even if arming the sweepers fails', async () => {
  await run([])
  for (const source of ['d', '0', '1']) {
    const alarm = await runInDurableObject(env.SWEEPER.getByName(source), (_, state) => state.storage.getAlarm())
    expect(alarm).not.toBeNull()
  }
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
  const getByName = () => ({ arm: () => Promise.reject(new Error('down')) })
  await run([job('sound')], { ...env, SWEEPER: { getByName } as never })
  vi.useRealTimers()
  expect(ran).toEqual(['sound'])
})

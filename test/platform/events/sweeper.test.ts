import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Committed } from '../../../src/platform/events/events.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import { authors, breakQueue, deliver, isolateEvents, sweep } from '../../support/events.ts'
import { draft } from '../../support/posting.ts'
import { until } from '../../support/until.ts'

isolateEvents()

test('a write sets the alarm of the sweeper of its database', async () => {
  breakQueue()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 }) // a sweeper is armed at most once in 5 seconds
  const sweeper = env.SWEEPER.getByName('0')
  const due = () => runInDurableObject(sweeper, (_, state) => state.storage.getAlarm())
  await runInDurableObject(sweeper, (_, state) => state.storage.deleteAlarm())
  await createPost(authors.ada.ctx, draft({ text: 'nobody hears' }))
  await until(async () => (await due()) !== null)
  vi.restoreAllMocks()
  vi.useRealTimers()
  await sweep()
})

test('unacknowledged events are resent at intervals growing to 45 s, and new events at the next pass', async () => {
  const lost = breakQueue()
  await createPost(authors.ada.ctx, draft({ text: 'first' }))
  await until(() => lost.length === 1)
  const sweeper = env.SWEEPER.getByName('0')
  const sent: string[] = []
  const sendBatch = async (messages: Iterable<MessageSendRequest>) => {
    for (const { body } of messages) sent.push((body as Committed).id)
  }
  const giveEnv = (bindings: object) =>
    runInDurableObject(sweeper, (instance) => void Object.assign(instance, { env: bindings }))
  onTestFinished(() => giveEnv(env))
  await giveEnv({ ...env, EVENTS: { sendBatch } })
  await runInDurableObject(sweeper, (_, state) => state.storage.deleteAll())
  await sweeper.arm('0')
  const from = Date.now()
  vi.useFakeTimers({ toFake: ['Date'] })
  const passAt = async (second: number) => {
    vi.setSystemTime(from + second * 1_000)
    await runDurableObjectAlarm(sweeper)
    return sent.splice(0)
  }
  expect(await passAt(1)).toEqual([]) // the queue may still deliver the event
  const due: number[] = []
  for (let second = 6; second <= 300; second += 6) if ((await passAt(second)).length > 0) due.push(second)
  expect(due).toEqual([6, 18, 42, 84, 132, 180, 228, 276])

  await createPost(authors.ada.ctx, draft({ text: 'second' }))
  await until(() => lost.length === 2)
  expect(await passAt(306)).toEqual([lost[1]!.id])
  expect(await passAt(312)).toEqual([])

  await deliver(lost)
  await passAt(360) // a recently armed sweeper would keep its alarm
  expect(await runInDurableObject(sweeper, (_, state) => state.storage.getAlarm())).toBeNull()
})

test('an interrupted sweep resumes after the last page it sent, and a recently armed sweeper stays armed', async () => {
  breakQueue()
  const rows = Array.from({ length: 250 }, (_, i) => `(${i + 1}, 'post.framed', '{}')`)
  await env.SHARD_0.prepare(`insert into outbox (id, type, data) values ${rows}`).run()
  const sent: number[] = []
  let broken = true
  const sendBatch = async (messages: Iterable<MessageSendRequest>) => {
    const ids = [...messages].map(({ body }) => Number((body as Committed).id))
    if (broken && ids[0] === 201) throw new Error('the queue is down')
    sent.push(...ids)
  }
  const sweeper = env.SWEEPER.getByName('0')
  await runInDurableObject(sweeper, async (instance, state) => {
    await state.storage.deleteAll()
    Object.assign(instance, { env: { ...env, EVENTS: { sendBatch } } })
  })
  onTestFinished(() => runInDurableObject(sweeper, (instance) => void Object.assign(instance, { env })))
  await sweeper.arm('0')
  const pass = () => runInDurableObject(sweeper, (instance) => instance.alarm())
  await expect(pass()).rejects.toThrow()
  expect(sent).toHaveLength(200)
  broken = false
  await pass()
  expect(sent).toEqual(Array.from({ length: 250 }, (_, i) => i + 1))
  await env.SHARD_0.prepare('delete from outbox').run()
  await pass()
  expect(await runInDurableObject(sweeper, (_, state) => state.storage.getAlarm())).not.toBeNull()
})

import { createExecutionContext, createMessageBatch, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Committed } from '../../../src/platform/events/events.ts'
import { queues } from '../../../src/platform/events/queues.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import worker from '../../../src/worker.ts'
import { count, insertRows, shards } from '../../support/databases.ts'
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

/** A sweeper of shard 0 that starts from the beginning and does not pause. `sent` are the ids of what it has sent. */
async function restartedSweeper() {
  const sent: number[] = []
  const pauses: number[] = []
  const sendBatch = async (messages: Iterable<MessageSendRequest>) => {
    for (const { body } of messages) sent.push(Number((body as Committed).id))
  }
  const sweeper = env.SWEEPER.getByName('0')
  const give = (members: object) => runInDurableObject(sweeper, (instance) => void Object.assign(instance, members))
  onTestFinished(() => give({ env, pause: undefined }))
  await give({ env: { ...env, EVENTS: { sendBatch } }, pause: async (ms: number) => void pauses.push(ms) })
  await runInDurableObject(sweeper, (_, state) => state.storage.deleteAll())
  await sweeper.arm('0')
  const pass = () => runInDurableObject(sweeper, (instance) => instance.alarm())
  return { sent, pauses, pass }
}

test('each pass goes on where the last one stopped, so a backlog behind failing events is sent once to its end', async () => {
  const [failing, waiting] = [200, 8_000]
  const rows = Array.from({ length: failing + waiting }, (_, i) => ({
    id: i + 1,
    type: 'post.framed',
    data: '{}',
    retry_at: i < failing ? Date.now() + 60_000 : null,
  }))
  await insertRows(shards[0], 'outbox', rows)
  onTestFinished(() => void env.SHARD_0.prepare('delete from outbox').run())
  const { sent, pauses, pass } = await restartedSweeper()
  vi.useFakeTimers({ toFake: ['Date'] })
  const perPass: number[] = []
  for (let n = 0; n < 3; n++) {
    vi.setSystemTime(Date.now() + 50_000 * n) // also when it is time to start again
    const before = sent.length
    await pass()
    perPass.push(sent.length - before)
  }
  expect(perPass).toEqual([6_600, 1_400, 6_600])
  expect(sent.slice(0, waiting)).toEqual(rows.slice(failing).map(({ id }) => id))
  // Three sweepers share the queue: of shard 0, of shard 1 and of the directory.
  for (const ms of pauses) expect((100 / ms) * 1_000 * 3).toBeLessThanOrEqual(5_000)
})

test('an event that always fails runs as often as the queue retries it, however long the sweeper runs', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const poison = { id: 5, type: 'post.liked', data: '{"nonsense":true}' }
  await insertRows(shards[0], 'outbox', [poison])
  const { sent, pass } = await restartedSweeper()
  const from = Date.now()
  vi.useFakeTimers({ toFake: ['Date'] })
  const body = { version: 1, source: '0', id: '5', type: poison.type, data: { nonsense: true }, trace: {} }
  let queue = [{ at: 0, attempts: 1 }]
  let runs = 0
  for (let second = 0; second <= 3 * 3_600; second += 90) {
    vi.setSystemTime(from + second * 1_000)
    await pass()
    queue.push(...sent.splice(0).map(() => ({ at: second, attempts: 1 })))
    const due = queue.filter(({ at }) => at <= second)
    queue = queue.filter(({ at }) => at > second)
    for (const { attempts } of due) {
      const delay = await retried(
        attempts > queues.EVENTS.retries ? 'socialconnect-events-dead' : 'socialconnect-events',
        body,
        attempts,
      )
      if (delay === null) continue
      runs += 1
      queue.push({ at: second + delay, attempts: attempts + 1 })
    }
  }
  expect(runs).toBe(queues.EVENTS.retries)
  expect(await count("select count(*) n from dead_letters where body like '%nonsense%'")).toBe(1)
  expect([queue, await count('select count(*) n from outbox')]).toEqual([[], 0])
})

/** Delivers a message. Returns after how many seconds the queue has to deliver it again, or null. */
async function retried(queue: string, body: unknown, attempts: number): Promise<number | null> {
  const batch = createMessageBatch(queue, [{ id: crypto.randomUUID(), timestamp: new Date(), attempts, body }])
  let delay: number | null = null
  vi.spyOn(batch.messages[0]!, 'retry').mockImplementation((options) => {
    delay = options?.delaySeconds ?? 0
  })
  await worker.queue(batch as never, env, createExecutionContext())
  return delay
}

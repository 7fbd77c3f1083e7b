import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { count, shards } from './databases.ts'

/** The number of events on all shards that are not acknowledged yet. */
export const pendingEvents = (): Promise<number> => count('SELECT count(*) n FROM outbox')

/** Waits until every event, or every event whose data contains `id`, is acknowledged. */
export async function drained(id = '', timeout = 60_000): Promise<void> {
  const events = `SELECT count(*) n FROM outbox WHERE data LIKE '%${id}%'`
  const isEmpty = async () => (await count(events, [...shards, env.DIRECTORY])) === 0
  await vi.waitUntil(isEmpty, { timeout, interval: 20 })
}

/** Records and sends an event of the directory without making the change that the event announces. */
export async function publishEvent(type: string, data: object): Promise<void> {
  const [result] = await env.DIRECTORY.batch<{ id: number }>([
    env.DIRECTORY.prepare(
      'insert into outbox (id, type, data) select coalesce(max(id), 0) + 1, ?, ? from outbox returning id',
    ).bind(type, JSON.stringify(data)),
  ])
  await env.EVENTS.send({ version: 1, source: 'd', id: String(result!.results[0]!.id), type, data, trace: {} })
}

/** Waits until all emails are sent, and all events are acknowledged. */
export async function delivered(): Promise<void> {
  const waiting = 'select (select count(*) from mails) + (select count(*) from handles where mailed_at is null) n'
  await drained()
  await vi.waitUntil(async () => (await count(waiting, [env.DIRECTORY])) === 0, { timeout: 60_000, interval: 20 })
  await drained()
}

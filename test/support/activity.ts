import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { differences, recount } from '../../scripts/recount-log.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import type { Act, Activity, Seen } from '../../src/services/analytics/activities.ts'
import { foldSlots } from '../../src/services/analytics/fold-slots.ts'
import { Sketch } from '../../src/services/analytics/sketch.ts'
import worker from '../../src/worker.ts'
import { contextWith } from './platform.ts'

/** Delivers a batch of the queue `ACTIVITY`, and returns the bodies that are to be retried. */
export async function deliver(bodies: readonly unknown[], bindings: Env = env, attempts = 1): Promise<unknown[]> {
  const messages = bodies.map((body, i) => ({ id: String(i), timestamp: new Date(), attempts, body }))
  const batch = createMessageBatch('socialconnect-activity', messages)
  const ctx = createExecutionContext()
  await worker.queue(batch, bindings, ctx)
  const { retryMessages } = await getQueueResult(batch, ctx)
  return retryMessages.map(({ msgId }) => bodies[Number(msgId)])
}

/** Keeps what the Worker sends to the queue `ACTIVITY`. */
export function holdActivity(): Activity[] {
  const held: Activity[] = []
  const keep = (messages: Iterable<MessageSendRequest>) => {
    for (const { body } of messages) held.push(structuredClone(body) as Activity)
  }
  vi.spyOn(env.ACTIVITY, 'sendBatch').mockImplementation(async (messages) => keep(messages) as never)
  return held
}

let acts = 0
export function act(kind: string, actor: Id | null, more: Partial<Act> = {}): Act {
  acts += 1
  return { id: `${kind}:${acts}`, kind, at: Date.now(), actor, author: null, post: null, ...more }
}

export const seen = (viewer: Id, postIds: Id[], more: Partial<Seen> = {}): Seen => ({
  viewer,
  postIds,
  surface: 'home',
  at: Date.now(),
  ...more,
})

export async function agree(ids: readonly Id[], agreed = true): Promise<void> {
  const sql = 'insert or replace into activity_choices (account_id, agreed, decided_at) values (?, ?, 0)'
  for (const shard of [env.SHARD_0, env.SHARD_1]) {
    await shard.batch(ids.map((id) => shard.prepare(sql).bind(Number(id), Number(agreed))))
  }
}

export async function foldAll(): Promise<void> {
  while (await foldSlots(contextWith()));
}

export async function logTexts(): Promise<string[]> {
  const { objects } = await env.ACTIVITY_LOG.list({ prefix: 'log/' })
  return Promise.all(objects.map(async ({ key }) => (await env.ACTIVITY_LOG.get(key))!.text()))
}

type Row = { metric: string; bucket: string; key: string }
export async function stored() {
  const rollups = await env.ANALYTICS.prepare('select * from rollups').all<Row & { n: number }>()
  const sketches = await env.ANALYTICS.prepare('select * from sketches').all<Row & { sketch: string }>()
  const sized = sketches.results.map(({ sketch, ...cell }) => ({ ...cell, size: new Sketch(sketch).size }))
  return { rollups: rollups.results, sketches: sized }
}

/** What differs between the folded roll-ups and the log. */
export async function auditAnalytics(): Promise<string[]> {
  await foldAll()
  return differences(recount(await logTexts()), await stored())
}

export async function emptyAnalytics(): Promise<void> {
  const tables = ['slots', 'rollups', 'sketches', 'top_posts']
  await env.ANALYTICS.batch(tables.map((table) => env.ANALYTICS.prepare(`delete from ${table}`)))
  const { objects } = await env.ACTIVITY_LOG.list({ prefix: 'log/' })
  if (objects.length > 0) await env.ACTIVITY_LOG.delete(objects.map(({ key }) => key))
}

/** What is stored of a metric in the last bucket whose name begins with `bucket`. */
export const numberOf = async (metric: string, bucket: string, key: string) => {
  const { rollups, sketches } = await stored()
  const isIt = (row: { metric: string; bucket: string; key: string }) =>
    row.metric === metric && row.bucket.startsWith(bucket) && row.key === key
  return rollups.findLast(isIt)?.n ?? sketches.findLast(isIt)?.size ?? 0
}

export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

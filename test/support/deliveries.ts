import { env } from 'cloudflare:workers'
import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { deliver } from '../../src/services/deliveries/deliver.ts'
import { planDigests } from '../../src/services/deliveries/digests.ts'
import { PreferencesInput, replacePreferences } from '../../src/services/deliveries/preferences.ts'
import { findDue } from '../../src/services/deliveries/rows.ts'
import { deliverTask } from '../../src/services/deliveries/statements.ts'
import { emailIndex, sealEmail } from '../../src/services/identity/email.ts'
import { shardHolding } from './databases.ts'
import { queues } from './manual-queues.ts'
import { asUser } from './viewers.ts'

/** Gives an account that has no login a verified address. */
export async function withAddress(accountId: Id, isVerified = true): Promise<string> {
  const address = `a${accountId}@example.com`
  const sealed = await sealEmail(queues.context(), accountId, address)
  await env.DIRECTORY.prepare(
    'INSERT INTO users (id, email, email_verified, created_at, updated_at, sealed_address) VALUES (?, ?, ?, 0, 0, ?)',
  )
    .bind(Number(accountId), await emailIndex(queues.context(), address), Number(isVerified), sealed)
    .run()
  return address
}

type Input = Partial<z.input<typeof PreferencesInput>>

export const prefer = (accountId: Id, preferences: Input) =>
  replacePreferences(asUser(accountId), PreferencesInput.parse({ rules: {}, ...preferences }))

export type Row = { event_id: number; channel: string; state: string; attempt: number; next_at: number | null }

export async function deliveriesOf(accountId: Id): Promise<Row[]> {
  const rows = shardHolding(accountId).prepare(
    'select * from deliveries where account_id = ? order by event_id, channel',
  )
  return (await rows.bind(Number(accountId)).all<Row>()).results
}

export const statesOf = async (accountId: Id) =>
  (await deliveriesOf(accountId)).map(({ channel, state }) => `${channel} ${state}`)

/** Runs what the job of this minute finds, `minutes` from now. The messages of the queue are `times` copies of each task. */
export async function runDue(
  minutes = 0,
  {
    times = 1,
    ctx = queues.context(),
    passed = () => 0,
  }: { times?: number; ctx?: SystemCtx; passed?: () => number } = {},
) {
  const now = Date.now() + minutes * 60_000
  const tasks: unknown[] = []
  const DELIVERIES = {
    sendBatch: async (batch: Iterable<{ body: { data: unknown } }>) =>
      void tasks.push(...[...batch].map(({ body }) => body.data)),
  }
  const later = { ...ctx, now: () => now + passed(), env: { ...ctx.env, DELIVERIES } } as unknown as SystemCtx
  for (const shard of later.db.shards) {
    await planDigests(later, later.db.shard(shard))
    await findDue(later, later.db.shard(shard))
  }
  for (let n = 0; n < times; n++) for (const task of tasks) await deliver(later, deliverTask.data.parse(task))
  return tasks.length
}

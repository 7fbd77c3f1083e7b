import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { firstIdAt, type Id } from '../../../src/platform/data/ids.ts'
import { deleteOldNotifications, notificationJobs } from '../../../src/services/notifications/jobs.ts'
import { bulkIds } from '../../support/actors.ts'
import { count, insertRows, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'

const DAY_MS = 24 * 3_600_000
const ages = [91, 89]
const idOfAge = (days: number) => Number(firstIdAt(Date.now() - days * DAY_MS))
const stored = () => count('select count(*) n from notifications')
const storedSince = (days: number) => count(`select count(*) n from notifications where id >= ${idOfAge(days)}`)

beforeEach(() => env.SHARD_0.prepare('delete from notifications').run())

/** Inserts one notification of each age in `ages` for each account. */
async function seedNotifications(accounts: readonly Id[]): Promise<void> {
  const rows = accounts.flatMap((account) =>
    ages.map((days) => ({
      account_id: Number(account),
      id: idOfAge(days),
      kind: 'mention',
      actor_id: 1,
      arrived_at: 0,
    })),
  )
  await insertRows(shards[0], 'notifications', rows)
}

test('notifications older than NOTIFICATION_DAYS are deleted, and younger ones are kept', async () => {
  await seedNotifications(await bulkIds(3, () => 0))
  const [ctx, strict] = [queues.context(), queues.context()]
  await deleteOldNotifications(ctx, { shard: 0, after: null })
  expect([await stored(), await storedSince(90)]).toEqual([3, 3])
  strict.env = Object.assign({ ...strict.env }, { NOTIFICATION_DAYS: '80' })
  await deleteOldNotifications(strict, { shard: 0, after: null })
  expect(await stored()).toBe(0)
})

test('the daily job deletes old notifications of 500 accounts at a time, in three round trips', async () => {
  await seedNotifications(await bulkIds(700, () => 0))
  const ctx = queues.context()
  const [job] = notificationJobs
  if (!job?.perShard) throw new Error('the job must run per shard')
  await job.run(ctx, ctx.db.shard(0))
  expect([ctx.cost.trips, queues.sent.length, (await stored()) > 700]).toEqual([3, 1, true])
  await queues.deliver()
  expect([await stored(), await storedSince(90)]).toEqual([700, 700])
})

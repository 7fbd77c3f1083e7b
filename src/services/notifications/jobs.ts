import { z } from '@hono/zod-openapi'
import { and, asc, gt, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS, deleteInSteps } from '../../platform/data/expiry.ts'
import { firstIdAt, Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { defineTask, enqueue, onTask } from '../../platform/events/tasks.ts'
import { accounts } from '../accounts/tables.ts'
import { deleteOldDeliveries } from '../deliveries/statements.ts'
import { notifications } from './tables.ts'
import { notificationDays } from './variables.ts'

const ACCOUNTS_PER_STEP = 500

const deleteOld = defineTask('FANOUT', 'notifications.delete-old', z.object({ shard: z.int(), after: Id.nullable() }))

export const notificationJobs: Job[] = [
  {
    name: 'delete old notifications',
    every: 'day',
    perShard: true,
    run: (ctx, db) => deleteOldNotifications(ctx, { shard: Number(db.name), after: null }),
  },
]

export const notificationWork = { jobs: notificationJobs, tasks: [onTask(deleteOld, deleteOldNotifications)] }

/** Iterates over the accounts: an index of notifications by age would cost a row write with every notification. */
export async function deleteOldNotifications(ctx: SystemCtx, { shard, after }: z.infer<typeof deleteOld.data>) {
  const db = ctx.db.shard(shard)
  const owners = await db
    .select({ id: accounts.id })
    .from(accounts)
    .where(after ? gt(accounts.id, after) : undefined)
    .orderBy(asc(accounts.id))
    .limit(ACCOUNTS_PER_STEP)
  const last = owners.at(-1)
  if (!last) return
  const ids = owners.map((owner) => owner.id)
  const expired = firstIdAt(ctx.now() - notificationDays(ctx) * DAY_MS)
  const old = lt(notifications.id, expired)
  await deleteInSteps(
    db,
    notifications,
    [notifications.accountId, notifications.id],
    and(idIn(notifications.accountId, ids), old),
  )
  await deleteOldDeliveries(db, ids, expired)
  if (owners.length === ACCOUNTS_PER_STEP) await enqueue(ctx, deleteOld, [{ shard, after: last.id }])
}

import { z } from '@hono/zod-openapi'
import { type SystemCtx, withLog } from '../context.ts'
import { createContext } from '../create-context.ts'
import type { Database } from '../data/databases.ts'
import { wakeSweepers } from './sweeper.client.ts'
import { defineTask, enqueue, onTask, type TaskHandler } from './tasks.ts'

type Schedule = {
  name: string
  every: 'minute' | 'hour' | 'day'
  /** Set by the registry, for log lines. */
  service?: string
}

/** Scheduled work. When due, it runs in the cron's invocation, or with `perShard` as one queued task per shard. */
export type Job =
  | (Schedule & { perShard?: false; run: (ctx: SystemCtx) => Promise<void> })
  | (Schedule & { perShard: true; run: (ctx: SystemCtx, db: Database) => Promise<void> })

const MINUTES = { minute: 1, hour: 60, day: 24 * 60 }

const shardJob = defineTask('FANOUT', 'platform.job', z.object({ name: z.string(), shard: z.int() }))

/** Handles the cron trigger, which fires once a minute. A failing job does not stop the others. */
export async function runJobs(
  jobs: readonly Job[],
  at: Date,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  const wake: Job = { name: 'wake the sweepers', every: 'minute', run: wakeSweepers }
  const due = [wake, ...jobs].filter((job) => isDue(job, at))
  await Promise.all(
    due.map(async (job) => {
      const own = withLog(ctx, { service: job.service, job: job.name })
      await start(own, job).catch((error: unknown) => own.log.error('a job failed', { error }))
    }),
  )
}

/** Whether a job is due in this minute (UTC). Its offset in the hour or day depends on its name, to spread load. */
export function isDue({ name, every }: Schedule, at: Date): boolean {
  const minute = at.getUTCHours() * 60 + at.getUTCMinutes()
  const offset = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % MINUTES.day, 0)
  return minute % MINUTES[every] === offset % MINUTES[every]
}

async function start(ctx: SystemCtx, job: Job): Promise<void> {
  if (!job.perShard) return job.run(ctx)
  await enqueue(
    ctx,
    shardJob,
    ctx.db.shards.map((shard) => ({ name: job.name, shard })),
  )
}

/** Runs the `perShard` jobs. Throws if two jobs have the same name, because a task finds its job by name. */
export function shardJobHandler(jobs: readonly Job[]): TaskHandler {
  const twice = jobs.find(({ name }, i) => jobs.findIndex((job) => job.name === name) < i)
  if (twice) throw new Error(`the job ${twice.name} is declared twice`)
  return onTask(shardJob, async (ctx, { name, shard }) => {
    const job = jobs.find((candidate) => candidate.name === name)
    if (!job?.perShard) throw new Error(`the job ${name} is unknown`)
    await job.run(withLog(ctx, { service: job.service, job: name, shard }), ctx.db.shard(shard))
  })
}

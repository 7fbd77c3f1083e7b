import type { Env } from '../config.ts'
import { createContext, type SystemCtx } from '../context.ts'
import { wakeSweepers } from './relay.ts'

/** Work that the clock starts: `minute` of every hour. */
export type Job = { name: string; minute: number; run: (ctx: SystemCtx) => Promise<void> }

/** The cron trigger, once a minute: wakes the sweepers and runs the jobs that are due. One failing job stops no other. */
export async function runJobs(
  jobs: readonly Job[],
  at: Date,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  const always = { name: 'wake the sweepers', run: wakeSweepers }
  const due = [always, ...jobs.filter((job) => job.minute === at.getUTCMinutes())]
  await Promise.all(
    due.map((job) => job.run(ctx).catch((error: unknown) => ctx.log.error('a job failed', { job: job.name, error }))),
  )
}

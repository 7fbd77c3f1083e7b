import { introspectWorkflowInstance } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { privacyJobs } from '../../src/services/privacy/jobs.ts'
import type { RegisteredUser } from './actors.ts'
import { drained } from './outboxes.ts'
import { contextWith } from './platform.ts'

/** What stays of an erased account: the ledger, and the tombstone of its handle. */
export const traces = [
  'DIRECTORY.erased_accounts.account_id',
  'DIRECTORY.handles.account_id',
  'SHARD_0.erased_accounts.account_id',
  'SHARD_1.erased_accounts.account_id',
]

const jobNamed = (name: string) => privacyJobs.find((job) => job.name === name)!
export const startDue = jobNamed('start due erasures')
export const replay = jobNamed('erase again what a restore brought back')
export const runJob = (job: typeof startDue, ctx = contextWith()) => (job.run as (ctx: object) => Promise<void>)(ctx)

export async function due(user: RegisteredUser): Promise<void> {
  const response = await user.fetch('/v1/me', { method: 'DELETE' })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  await env.DIRECTORY.prepare('update deletions set erase_at = 1 where account_id = ?').bind(Number(user.id)).run()
}

/** Runs the job that starts due erasures, and waits for the Workflow of the user. */
export async function erase(user: RegisteredUser, failing: string[] = []): Promise<void> {
  await using instance = await introspectWorkflowInstance(env.ERASURES, user.id)
  await instance.modify(async (modifier) => {
    await modifier.disableRetryDelays()
    for (const name of failing) await modifier.mockStepError({ name }, new Error('the step was interrupted'), 2)
  })
  await runJob(startDue)
  await instance.waitForStatus('complete')
  await drained('', 60_000)
}

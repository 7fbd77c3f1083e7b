import { lte } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { apiKeys } from './tables.ts'

export const apiKeyJobs: Job[] = [{ name: 'delete expired API keys', every: 'hour', run: deleteExpiredApiKeys }]

async function deleteExpiredApiKeys(ctx: SystemCtx): Promise<void> {
  await deleteInSteps(ctx.db.directory, apiKeys, [apiKeys.id], lte(apiKeys.expiresAt, ctx.now()))
}

import { app } from './app.ts'
import { consumeQueue } from './platform/events/consume.ts'
import { runJobs } from './platform/events/jobs.ts'
import { erasureParts, events, jobs, personal, subscriptions, tasks } from './registry.ts'
import { erasureWorkflow } from './services/privacy/erasure.workflow.ts'
import { exportWorkflow } from './services/privacy/export.workflow.ts'

export { Sweeper } from './platform/events/sweeper.object.ts'
export { UserHub } from './platform/realtime/user-hub.object.ts'
export { AccessGuard } from './platform/security/access-guard.object.ts'

export const EraseAccount = erasureWorkflow(erasureParts)
export const ExportAccount = exportWorkflow(personal)

export default {
  fetch: app.fetch,

  async queue(batch, env, ctx) {
    await consumeQueue(batch, env, ctx.waitUntil.bind(ctx), { events, subscriptions, tasks })
  },

  async scheduled(controller, env, ctx) {
    await runJobs(jobs, new Date(controller.scheduledTime), env, ctx.waitUntil.bind(ctx))
  },
} satisfies ExportedHandler<Env>

import { app } from './app.ts'
import { consumeQueue } from './platform/events/consume.ts'
import { runJobs } from './platform/events/jobs.ts'
import { erasureParts, events, jobs, personal, services, subscriptions, tasks } from './registry.ts'
import type * as Rpc from './rpc.ts'
import { erasureWorkflow } from './services/privacy/erasure.workflow.ts'
import { exportWorkflow } from './services/privacy/export.workflow.ts'
import { rpcService } from './surfaces/rpc/entrypoint.ts'

export { Sweeper } from './platform/events/sweeper.object.ts'
export { UserHub } from './platform/realtime/user-hub.object.ts'
export { AccessGuard } from './platform/security/access-guard.object.ts'

export const EraseAccount = erasureWorkflow(erasureParts)
export const ExportAccount = exportWorkflow(personal)

export const UserService = rpcService<Rpc.UserService>(services, 'UserService')
export const PostService = rpcService<Rpc.PostService>(services, 'PostService')
export const NotificationService = rpcService<Rpc.NotificationService>(services, 'NotificationService')

export default {
  fetch: app.fetch,

  async queue(batch, env, ctx) {
    await consumeQueue(batch, env, ctx.waitUntil.bind(ctx), { events, subscriptions, tasks })
  },

  async scheduled(controller, env, ctx) {
    await runJobs(jobs, new Date(controller.scheduledTime), env, ctx.waitUntil.bind(ctx))
  },
} satisfies ExportedHandler<Env>

import { appFor } from './dispatch.ts'
import { HubObject } from './platform/realtime/hub.object.ts'
import type * as Rpc from './rpc.ts'
import { erasureWorkflow } from './services/privacy/erasure.workflow.ts'
import { exportWorkflow } from './services/privacy/export.workflow.ts'
import { rpcService } from './surfaces/rpc/entrypoint.ts'

export { Sweeper } from './platform/events/sweeper.object.ts'
export { AccessGuard } from './platform/security/access-guard.object.ts'
export { RevocationFeed } from './platform/security/revocation-feed.object.ts'
export { ConversationObject as Conversation } from './services/messaging/conversation.object.ts'
export { WebhookObject as WebhookEndpoint } from './services/webhooks/endpoint.object.ts'

const registry = () => import('./registry.ts')

export const EraseAccount = erasureWorkflow(async () => (await registry()).erasureParts)
export const ExportAccount = exportWorkflow(async () => (await registry()).personal)

export class Hub extends HubObject {
  protected override readonly channels = async () => (await registry()).channels
}

const services = async () => (await registry()).services
export const UserService = rpcService<Rpc.UserService>(services, 'UserService')
export const PostService = rpcService<Rpc.PostService>(services, 'PostService')
export const NotificationService = rpcService<Rpc.NotificationService>(services, 'NotificationService')
export const AnalyticsService = rpcService<Rpc.AnalyticsService>(services, 'AnalyticsService')

export default {
  async fetch(request: Request, env, ctx) {
    return (await appFor(request)).fetch(request, env, ctx)
  },

  async queue(batch, env, ctx) {
    const { consumeQueue } = await import('./platform/events/consume.ts')
    await consumeQueue(batch, env, ctx.waitUntil.bind(ctx), await registry())
  },

  async scheduled(controller, env, ctx) {
    const { runJobs } = await import('./platform/events/jobs.ts')
    const { jobs } = await registry()
    await runJobs(jobs, new Date(controller.scheduledTime), env, ctx.waitUntil.bind(ctx))
  },
} satisfies ExportedHandler<Env>

import type { OpenAPIHono } from '@hono/zod-openapi'
import { deleteExpiredKeys } from './platform/data/idempotency.ts'
import type { Subscription } from './platform/events/events.ts'
import type { Job } from './platform/events/jobs.ts'
import type { TaskHandler } from './platform/events/tasks.ts'
import type { AppEnv } from './platform/http/route.ts'
import { realtimeRoutes } from './platform/realtime/realtime.ts'
import { accountRoutes } from './services/accounts/routes.ts'
import { accountSubscriptions } from './services/accounts/subscriptions.ts'
import { feedRoutes } from './services/feed/routes.ts'
import { feedSubscriptions, feedTasks } from './services/feed/subscriptions.ts'
import { identityJobs } from './services/identity/jobs.ts'
import { identityRoutes } from './services/identity/routes.ts'
import { identitySubscriptions, identityTasks } from './services/identity/subscriptions.ts'
import { mediaJobs } from './services/media/jobs.ts'
import { mediaRoutes } from './services/media/routes.ts'
import { mediaSubscriptions } from './services/media/subscriptions.ts'
import { notificationRoutes } from './services/notifications/routes.ts'
import { notificationSubscriptions } from './services/notifications/subscriptions.ts'
import { postRoutes } from './services/posts/routes.ts'
import { postSubscriptions } from './services/posts/subscriptions.ts'

export { readAccountStatus } from './services/identity/revocation.ts'
export { signingKeys } from './services/identity/signing-keys.ts'

type Service = {
  name: string
  routes?: OpenAPIHono<AppEnv>
  subscriptions?: Subscription[]
  tasks?: TaskHandler[]
  jobs?: Job[]
}

/** The table of contents: everything that the system answers, reacts to and does by the clock, service by service. */
export const services: Service[] = [
  {
    name: 'identity',
    routes: identityRoutes,
    subscriptions: identitySubscriptions,
    tasks: identityTasks,
    jobs: identityJobs,
  },
  { name: 'accounts', routes: accountRoutes, subscriptions: accountSubscriptions },
  { name: 'posts', routes: postRoutes, subscriptions: postSubscriptions },
  { name: 'feed', routes: feedRoutes, subscriptions: feedSubscriptions, tasks: feedTasks },
  { name: 'notifications', routes: notificationRoutes, subscriptions: notificationSubscriptions },
  { name: 'media', routes: mediaRoutes, subscriptions: mediaSubscriptions, jobs: mediaJobs },
  { name: 'realtime', routes: realtimeRoutes(['home', 'notifications']) },
  {
    name: 'housekeeping',
    jobs: [
      {
        name: 'forget expired idempotency keys',
        minute: 17,
        run: async (ctx) => {
          for (const n of ctx.db.shards) await deleteExpiredKeys(ctx.db.shard(n))
        },
      },
    ],
  },
]

export const subscriptions = services.flatMap((service) => service.subscriptions ?? [])
export const tasks = services.flatMap((service) => service.tasks ?? [])
export const jobs = services.flatMap((service) => service.jobs ?? [])

import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Subscription } from './platform/events.ts'
import { forgetExpiredKeys } from './platform/idempotency.ts'
import type { Job } from './platform/jobs.ts'
import { realtimeRoutes } from './platform/realtime.ts'
import type { AppEnv } from './platform/route.ts'
import type { TaskHandler } from './platform/tasks.ts'
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

export { signingKeys } from './services/identity/keys.ts'
export { readStanding } from './services/identity/standing.ts'

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
          for (const n of ctx.db.shards) await forgetExpiredKeys(ctx.db.shard(n))
        },
      },
    ],
  },
]

export const subscriptions = services.flatMap((service) => service.subscriptions ?? [])
export const tasks = services.flatMap((service) => service.tasks ?? [])
export const jobs = services.flatMap((service) => service.jobs ?? [])

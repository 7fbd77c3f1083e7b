import { app } from './app.ts'
import type { Env } from './platform/config.ts'
import { runJobs } from './platform/events/jobs.ts'
import { consumeEvents, keepDeadLetters } from './platform/events/outbox.ts'
import { consumeTasks } from './platform/events/tasks.ts'
import { jobs, subscriptions, tasks } from './registry.ts'

export { Sweeper } from './platform/events/sweeper.object.ts'
export { UserHub } from './platform/realtime/user-hub.object.ts'
export { AccessGuard } from './platform/security/access-guard.object.ts'

export default {
  fetch: app.fetch,

  async queue(batch, env, ctx) {
    const waitUntil = ctx.waitUntil.bind(ctx)
    // Each environment's queues have names of their own that end alike.
    if (batch.queue.endsWith('-dead')) await keepDeadLetters(batch, env, waitUntil)
    else if (batch.queue.endsWith('-events')) await consumeEvents(batch, env, waitUntil, subscriptions)
    else await consumeTasks(batch, env, waitUntil, tasks)
  },

  async scheduled(controller, env, ctx) {
    await runJobs(jobs, new Date(controller.scheduledTime), env, ctx.waitUntil.bind(ctx))
  },
} satisfies ExportedHandler<Env>

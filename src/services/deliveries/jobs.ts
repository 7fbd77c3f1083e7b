import { z } from '@hono/zod-openapi'
import { onMessages } from '../../platform/events/batches.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { onTask } from '../../platform/events/tasks.ts'
import { deliver } from './deliver.ts'
import { planDigests } from './digests.ts'
import { findDue } from './rows.ts'
import { deliverTask } from './statements.ts'
import { noteRefusals } from './suppressions.ts'
import { channelOf } from './tables.ts'

const jobs: Job[] = [
  { name: 'plan digests', every: 'minute', perShard: true, run: planDigests },
  { name: 'find due deliveries', every: 'minute', perShard: true, run: findDue },
]

export const deliveryWork = {
  jobs,
  // Reports contain addresses, so none may become a dead letter.
  batches: [onMessages('BOUNCES', z.unknown(), noteRefusals, () => false)],
  tasks: [onTask(deliverTask, deliver, ({ channel }) => channelOf(channel) === 'push')],
}

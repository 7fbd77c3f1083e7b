import type { SystemCtx } from '../../platform/context.ts'
import { onMessages } from '../../platform/events/batches.ts'
import { type Happened, onAny } from '../../platform/events/events.ts'
import { ActivityMessage, actOf } from './activities.ts'
import { countActivities } from './count.ts'
import { isSeen } from './entries.ts'

export const analyticsSubscriptions = [onAny('count', enqueueActs)]

const countMessages = (ctx: SystemCtx, messages: readonly ActivityMessage[]) => countActivities(ctx, messages.flat())

export const analyticsBatches = [
  // What people read must not wait in a table of dead letters.
  onMessages('ACTIVITY', ActivityMessage, countMessages, (message) => Array.isArray(message) || !isSeen(message)),
]

/** Throws if the queue does not accept them: the events then stay in their outbox and are sent again. */
async function enqueueActs(ctx: SystemCtx, events: readonly Happened[]): Promise<void> {
  const acts = events.flatMap((event) => actOf(event) ?? [])
  if (acts.length > 0) await ctx.env.ACTIVITY.sendBatch([{ body: acts }])
}

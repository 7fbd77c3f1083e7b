import { on } from '../../platform/events/events.ts'
import { append } from './append.ts'
import { auditedEvents } from './audited-events.ts'
import { detailOf } from './details.ts'

export const auditSubscriptions = auditedEvents.map(({ event, action, byOwner, details }) =>
  on(event, 'audit', (ctx, act, eventId) => {
    const actorId = act.actorId ?? (byOwner ? act.accountId : null)
    const { accountId, client } = act
    return append(ctx, { accountId, actorId, client, action, eventId, detail: detailOf(act, details) })
  }),
)

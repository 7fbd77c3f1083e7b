import { on } from '../../platform/events/events.ts'
import { append } from './append.ts'
import { auditedEvents } from './audited-events.ts'

export const auditSubscriptions = auditedEvents.map(({ event, action, byOwner }) =>
  on(event, 'audit', (ctx, act, eventId) => {
    const actorId = act.actorId ?? (byOwner ? act.accountId : null)
    return append(ctx, { accountId: act.accountId, actorId, client: act.client, action, eventId })
  }),
)

import { deleteExpiredKeys } from './platform/data/idempotency.ts'
import { deleteOldDeadLetters } from './platform/events/dead-letters.ts'
import { housekeepingData, realtimeData } from './platform/personal.ts'
import type { Channel } from './platform/realtime/channels.ts'
import { realtimeOperations } from './platform/realtime/operations.ts'
import { resealKeys } from './platform/security/account-keys.ts'
import type { Service } from './service.ts'

/** What the platform declares like a service. `channels` are those of all services. */
export const platformServices = (channels: readonly Channel[]): Service[] => [
  {
    name: 'realtime',
    about: 'Tickets for the socket with live updates',
    operations: realtimeOperations(channels),
    personal: realtimeData,
  },
  {
    name: 'housekeeping',
    about: 'Recurring work of the platform',
    personal: housekeepingData,
    jobs: [
      {
        name: 'delete expired idempotency keys',
        every: 'hour',
        perShard: true,
        run: (_, db) => deleteExpiredKeys(db),
      },
      { name: 'reseal the keys of accounts', every: 'minute', run: resealKeys },
      { name: 'delete old dead letters', every: 'day', perShard: true, run: deleteOldDeadLetters },
      {
        name: 'delete old dead letters of the directory',
        every: 'day',
        run: (ctx) => deleteOldDeadLetters(ctx, ctx.db.directory),
      },
    ],
  },
]

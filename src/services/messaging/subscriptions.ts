import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { accountBlocked, accountUnblocked } from '../accounts/events.ts'
import { blocks } from '../accounts/tables.ts'
import { blockConversation } from './statements.ts'

type Pair = { accountId: Id; otherId: Id }

/** Events may arrive in any order, so each brings what is true now, under its own number. */
async function syncBlock(ctx: SystemCtx, { accountId, otherId }: Pair, eventId: Id): Promise<void> {
  const row = and(eq(blocks.accountId, accountId), eq(blocks.otherId, otherId), eq(blocks.byMe, true))
  const isBlocking = (await atPrimary(ctx).shardOf(accountId).$count(blocks, row)) > 0
  await blockConversation(ctx, { accountId, otherId, eventId, isBlocking })
}

export const messagingSubscriptions = [
  on(accountBlocked, 'end-conversation', syncBlock),
  on(accountUnblocked, 'allow-conversation', syncBlock),
]

import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { blocks } from '../accounts/tables.ts'
import { setBlock } from './conversation.client.ts'
import { conversationOf } from './policy.ts'

type Pair = { accountId: Id; otherId: Id }
type Change = Pair & { isBlocking: boolean }

/** Allows or ends the conversation of two accounts. Call `syncBlock` after it, because the block may have changed meanwhile. */
export async function blockConversation(ctx: SystemCtx, { accountId, otherId, isBlocking }: Change): Promise<void> {
  const conversationId = await conversationOf(ctx.config, accountId, otherId)
  await setBlock(ctx, { conversationId, accountId, otherId, isBlocking })
}

/** Allows or ends it by whether `accountId` blocks the other one now. */
export async function syncBlock(ctx: SystemCtx, { accountId, otherId }: Pair): Promise<void> {
  const row = and(eq(blocks.accountId, accountId), eq(blocks.otherId, otherId), eq(blocks.byMe, true))
  await mirror(
    async () => (await atPrimary(ctx).shardOf(accountId).$count(blocks, row)) > 0,
    (isBlocking) => blockConversation(ctx, { accountId, otherId, isBlocking }),
  )
}

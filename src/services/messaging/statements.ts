import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { setBlock } from './conversation.client.ts'
import { conversationOf } from './policy.ts'

type Change = { accountId: Id; otherId: Id; eventId: Id; isBlocking: boolean }

/** Allows or ends the conversation of two accounts: `accountId` blocks the other one, or does so no more. */
export async function blockConversation(ctx: SystemCtx, { otherId, ...block }: Change): Promise<void> {
  await setBlock(ctx, { ...block, conversationId: await conversationOf(ctx.config, block.accountId, otherId) })
}

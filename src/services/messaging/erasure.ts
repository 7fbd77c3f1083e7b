import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { settleConcurrently } from '../../platform/data/shards.ts'
import { eraseFrom } from './conversation.client.ts'
import { conversations, messageSettings } from './tables.ts'

const ROWS_PER_STEP = 50

/** The row is deleted last, because it leads to the conversation. Those of the other members stay, without a name. */
export async function eraseConversations(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.shardOf(accountId)
  await db.delete(messageSettings).where(eq(messageSettings.accountId, accountId))
  const own = eq(conversations.accountId, accountId)
  const rows = await db.select({ id: conversations.conversationId }).from(conversations).where(own).limit(ROWS_PER_STEP)
  await settleConcurrently(rows, async ({ id }) => {
    await eraseFrom(ctx, id, accountId)
    await db.delete(conversations).where(and(own, eq(conversations.conversationId, id)))
  })
  return rows.length < ROWS_PER_STEP
}

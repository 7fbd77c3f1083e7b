import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { findImage, readNews } from './conversation.client.ts'
import type { News } from './facts.ts'

/** What the account has not read in a conversation, as the conversation knows it now. */
export function newsFor(ctx: SystemCtx, conversationId: string, accountId: Id): Promise<News> {
  return readNews(ctx, conversationId, accountId)
}

/** With which `sealFor` seals the previews in the inbox of an account. */
export const PREVIEW = 'message preview'

/** Whether the account is a member that sees the message with the image. */
export async function mayLoadImage(
  ctx: SystemCtx,
  conversationId: string | null,
  accountId: Id,
  mediaId: Id,
): Promise<boolean> {
  return conversationId !== null && findImage(ctx, conversationId, mediaId, accountId)
}

/** Whether a stored message has the image. */
export async function hasImage(ctx: SystemCtx, conversationId: string | null, mediaId: Id): Promise<boolean> {
  return conversationId !== null && findImage(ctx, conversationId, mediaId, null)
}
/** With which the names of groups are sealed there. */
export const GROUP_NAME = 'group name'

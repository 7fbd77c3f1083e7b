import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { findImage } from './conversation.client.ts'

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

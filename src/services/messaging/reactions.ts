import { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { invalid } from '../../platform/failures.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { readHistory, readPinned } from './conversation.client.ts'
import { acted, changed } from './message-changes.ts'
import { viewsOf } from './message-presentation.ts'
import type { Message, PinnedMessages, Reactions } from './message-views.ts'
import { type Place, placeOf } from './messages.ts'
import { loadShown } from './shown-accounts.ts'

type Named = { messageId: string }
const MAX_EMOJI = 40
const EMOJI_STYLE = '\ufe0f'
const isEmoji = /^\p{RGI_Emoji}$/v

export const Emoji = z.string().min(1).max(MAX_EMOJI).openapi({ description: 'One emoji, in UTF-8', example: '👍' })

export async function addReaction(ctx: UserCtx, { messageId, emoji }: Named & { emoji: string }): Promise<Message> {
  return changed(ctx, messageId, { kind: 'react', emoji: checked(emoji) })
}

export async function removeReaction(ctx: UserCtx, { messageId, emoji }: Named & { emoji: string }): Promise<void> {
  await acted(ctx, messageId, { kind: 'unreact', emoji: checked(emoji) })
}

/** Throws `invalid` unless it is one emoji. Adds what makes a character an emoji, such as in ❤️. */
function checked(emoji: string): string {
  const found = [emoji, `${emoji}${EMOJI_STYLE}`].find((text) => isEmoji.test(text))
  if (found === undefined) throw invalid('emoji', 'is not one emoji')
  return found
}

export async function listReactions(ctx: UserCtx, { messageId }: Named): Promise<z.infer<typeof Reactions>> {
  const { conversationId, seq } = placeOf(messageId)
  const { message } = await readHistory(ctx, conversationId, ctx.viewer.id, seq)
  const load = message.inGroup ? loadShown : loadAccountSummaries
  const known = await load(
    ctx,
    message.reactions.map(({ accountId }) => accountId),
  )
  const items = message.reactions.flatMap(({ accountId, emoji, at }) => {
    const account = known.get(accountId)
    return account ? [{ account, emoji, createdAt: new Date(at).toISOString() }] : []
  })
  return { items }
}

export async function pinMessage(ctx: UserCtx, { messageId }: Named): Promise<Message> {
  return changed(ctx, messageId, { kind: 'pin' })
}

export async function unpinMessage(ctx: UserCtx, { messageId }: Named): Promise<void> {
  await acted(ctx, messageId, { kind: 'unpin' })
}

export async function listPinnedMessages(
  ctx: UserCtx,
  { conversationId }: Place,
): Promise<z.infer<typeof PinnedMessages>> {
  const pinned = await readPinned(ctx, conversationId, ctx.viewer.id)
  return { items: await viewsOf(ctx, conversationId, pinned) }
}

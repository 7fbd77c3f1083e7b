import type { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { invalid } from '../../platform/failures.ts'
import { markDelivered, mute, readMarks, tellTyping } from './conversation.client.ts'
import { getConversation } from './conversations.ts'
import { keepingMarks } from './member-frames.ts'
import type { Place } from './messages.ts'
import { FOREVER } from './muting.ts'
import { loadShown } from './shown-accounts.ts'
import { messageSettings } from './tables.ts'
import type { Conversation, Marks, MessageSettings, Muting, ReadMark } from './views.ts'

export async function markConversationDelivered(
  ctx: UserCtx,
  { conversationId, seq }: Place & z.infer<typeof ReadMark>,
): Promise<void> {
  await markDelivered(ctx, conversationId, ctx.viewer.id, seq)
}

export async function showTyping(ctx: UserCtx, { conversationId }: Place): Promise<void> {
  await tellTyping(ctx, conversationId, ctx.viewer.id)
}

export async function listMarks(ctx: UserCtx, { conversationId }: Place): Promise<z.infer<typeof Marks>> {
  const accountId = ctx.viewer.id
  const marks = await readMarks(ctx, conversationId, accountId)
  const others = marks.map((mark) => mark.accountId)
  const primary = { ...ctx, db: atPrimary(ctx) }
  const [keeping, known] = await Promise.all([keepingMarks(primary, [accountId, ...others]), loadShown(ctx, others)])
  if (keeping.has(accountId)) return { items: [] }
  return { items: marks.filter((mark) => known.has(mark.accountId) && !keeping.has(mark.accountId)) }
}

export async function muteConversation(
  ctx: UserCtx,
  { conversationId, until }: Place & z.infer<typeof Muting>,
): Promise<Conversation> {
  const time = Date.parse(until)
  if (time <= ctx.now()) throw invalid('until', 'is in the past')
  await mute(ctx, conversationId, ctx.viewer.id, Math.min(time, FOREVER))
  return getConversation(ctx, { conversationId })
}

export async function unmuteConversation(ctx: UserCtx, { conversationId }: Place): Promise<void> {
  await mute(ctx, conversationId, ctx.viewer.id, 0)
}

export async function getMessageSettings(ctx: UserCtx): Promise<z.infer<typeof MessageSettings>> {
  const keeping = await keepingMarks({ ...ctx, db: atPrimary(ctx) }, [ctx.viewer.id])
  return { sharesMarks: keeping.size === 0 }
}

export async function setMessageSettings(
  ctx: UserCtx,
  { sharesMarks }: z.infer<typeof MessageSettings>,
): Promise<z.infer<typeof MessageSettings>> {
  const accountId = ctx.viewer.id
  await ctx.db
    .shardOf(accountId)
    .insert(messageSettings)
    .values({ accountId, sharesMarks })
    .onConflictDoUpdate({ target: messageSettings.accountId, set: { sharesMarks } })
  return { sharesMarks }
}

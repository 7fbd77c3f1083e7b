import { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../../platform/data/page.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { notFound } from '../../platform/failures.ts'
import { act, readChanges, readHistory } from './conversation.client.ts'
import type { Act } from './facts.ts'
import { viewOf, viewsOf } from './message-presentation.ts'
import type { Message, MessageChange, MessageEdits, MessageLog } from './message-views.ts'
import { bodyOf, type Place, placeOf } from './messages.ts'

type Named = { messageId: string }

export const WantedChanges = z.strictObject({
  since: queryInteger({ isLong: true })
    .default(0)
    .openapi({ default: 0, description: 'The `revision` of the last answer; the beginning by default' }),
  limit: queryInteger({ min: 1, max: MAX_LIMIT }).default(DEFAULT_LIMIT).openapi({ default: DEFAULT_LIMIT }),
})

export async function editMessage(
  ctx: UserCtx,
  { messageId, text }: Named & z.infer<typeof MessageChange>,
): Promise<Message> {
  return changed(ctx, messageId, { kind: 'edit', body: bodyOf(text, true) })
}

export async function deleteMessage(ctx: UserCtx, { messageId }: Named): Promise<void> {
  await acted(ctx, messageId, { kind: 'delete' })
}

export async function hideMessage(ctx: UserCtx, { messageId }: Named): Promise<void> {
  await acted(ctx, messageId, { kind: 'hide' })
}

export async function listMessageEdits(ctx: UserCtx, { messageId }: Named): Promise<z.infer<typeof MessageEdits>> {
  const { conversationId, seq } = placeOf(messageId)
  const { message, versions } = await readHistory(ctx, conversationId, ctx.viewer.id, seq)
  const shown = await viewOf(ctx, conversationId, message)
  if (shown.text === null) return { items: [] }
  const items = versions.map(({ at, body }) => {
    return { text: body?.text ?? null, entities: body?.entities ?? [], createdAt: new Date(at).toISOString() }
  })
  return { items }
}

/** The messages that are new or changed since a revision, oldest change first. */
export async function readMessageLog(
  ctx: UserCtx,
  { conversationId, since, limit }: Place & z.infer<typeof WantedChanges>,
): Promise<z.infer<typeof MessageLog>> {
  const wanted = { accountId: ctx.viewer.id, since, limit }
  const { messages, ...log } = await readChanges(ctx, conversationId, wanted)
  return { ...log, items: await viewsOf(ctx, conversationId, messages) }
}

export async function changed(ctx: UserCtx, messageId: string, change: Act): Promise<Message> {
  const message = await acted(ctx, messageId, change)
  if (message === 'done') throw notFound()
  return viewOf(ctx, placeOf(messageId).conversationId, message)
}

export async function acted(ctx: UserCtx, messageId: string, change: Act) {
  const { conversationId, seq } = placeOf(messageId)
  return act(ctx, conversationId, { accountId: ctx.viewer.id, seq, act: change })
}

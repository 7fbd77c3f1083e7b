import type { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { Id, toId } from '../../platform/data/ids.ts'
import { loadPage, type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { cleanText, requireLength } from '../../platform/data/text.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { claimImages, releaseImages } from '../media/statements.ts'
import { spansOf } from '../posts/queries.ts'
import { hasSent, markRead, readPage, send } from './conversation.client.ts'
import type { Body, Sending } from './facts.ts'
import { viewOf, viewsOf } from './message-presentation.ts'
import { type Message, type MessageSending, textBounds } from './message-views.ts'
import { conversations } from './tables.ts'
import type { ReadMark } from './views.ts'

const MAX_ENTITIES = 50

export type Place = { conversationId: string }

export const WantedMessages = PageQuery.extend({
  after: queryInteger({ max: 999_999_999 })
    .default(0)
    .openapi({ default: 0, description: 'Only messages with a greater `seq`' }),
})

export async function sendMessage(
  ctx: UserCtx,
  { conversationId, clientId, text, replyTo, media = [] }: Place & z.input<typeof MessageSending>,
): Promise<Message> {
  const sending = { accountId: ctx.viewer.id, clientId, replyTo, body: bodyOf(text, media.length > 0) }
  const ids = media.map((id) => Id.parse(id))
  const sent = ids.length > 0 ? sendImages(ctx, conversationId, sending, ids) : send(ctx, conversationId, sending)
  return viewOf(ctx, conversationId, await sent)
}

/** Claims the images first, and gives them back if the message is refused. */
async function sendImages(ctx: UserCtx, conversationId: string, sending: Sending, ids: readonly Id[]) {
  const { accountId, clientId, body } = sending
  const claim = { conversationId, claim: clientId, ids }
  const isRepeated = await hasSent(ctx, conversationId, accountId, clientId)
  const media = isRepeated ? ids.map(unnamed) : await claimImages(ctx, claim)
  return send(ctx, conversationId, { ...sending, body: { ...body, media } }).catch(async (error: unknown) => {
    if (error instanceof Failure && !isRepeated) await releaseImages(ctx, claim)
    throw error
  })
}

/** A repetition is compared by the ids of its images only. */
const unnamed = (id: Id) => ({ id, alt: '', width: 0, height: 0, placeholder: '' })

/** An empty text needs an image, which the conversation knows of an edited message. */
export function bodyOf(typed: string, canBeEmpty: boolean): Body {
  const text = cleanText('text', typed)
  if (text === '' && !canBeEmpty) throw invalid('text', 'is required when there are no images')
  requireLength('text', text, textBounds)
  const body = { text, entities: spansOf(text) }
  if (body.entities.length > MAX_ENTITIES)
    throw invalid('text', `has more than ${MAX_ENTITIES} mentions, hashtags and links`)
  return body
}

export async function listMessages(
  ctx: UserCtx,
  { conversationId, after, ...query }: Place & z.infer<typeof WantedMessages>,
): Promise<Page<Message>> {
  const accountId = ctx.viewer.id
  const from = await seek(ctx, query, `messages of ${conversationId} after ${after}`, conversations.position)
  const { hasCursor, backward } = from.variant
  const cursor = hasCursor ? from.values.cursor : null
  const page = await readPage(ctx, conversationId, { accountId, after, cursor, backward, limit: from.limit })
  const rows = page.map((message) => ({ ...message, id: toId(message.seq) }))
  return loadPage(ctx, from, rows, async (kept) => {
    const views = await viewsOf(ctx, conversationId, kept)
    return new Map(views.map((view) => [toId(view.seq), view]))
  })
}

export async function getMessage(ctx: UserCtx, { messageId }: { messageId: string }): Promise<Message> {
  const { conversationId, seq } = placeOf(messageId)
  const wanted = { accountId: ctx.viewer.id, after: 0, cursor: seq + 1, backward: false, limit: 1 }
  const [message] = await readPage(ctx, conversationId, wanted)
  if (message?.seq !== seq) throw notFound()
  return viewOf(ctx, conversationId, message)
}

export function placeOf(messageId: string): Place & { seq: number } {
  const [conversationId = '', seq] = messageId.split('.')
  return { conversationId, seq: Number(seq) }
}

export async function markConversationRead(
  ctx: UserCtx,
  { conversationId, seq }: Place & z.infer<typeof ReadMark>,
): Promise<void> {
  await markRead(ctx, conversationId, ctx.viewer.id, seq)
}

import type { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { toId } from '../../platform/data/ids.ts'
import { loadPage, type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { cleanText, requireLength } from '../../platform/data/text.ts'
import { invalid, notFound } from '../../platform/failures.ts'
import { spansOf } from '../posts/queries.ts'
import { markRead, readPage, send } from './conversation.client.ts'
import type { StoredMessage } from './facts.ts'
import { conversations } from './tables.ts'
import { type Message, type MessageSending, type ReadMark, textBounds } from './views.ts'

type Place = { conversationId: string }

export const WantedMessages = PageQuery.extend({
  after: queryInteger({ max: 999_999_999 })
    .default(0)
    .openapi({ default: 0, description: 'Only messages with a greater `seq`' }),
})

export async function sendMessage(
  ctx: UserCtx,
  { conversationId, clientId, text: typed }: Place & z.infer<typeof MessageSending>,
): Promise<Message> {
  const text = cleanText('text', typed)
  if (text === '') throw invalid('text', 'is empty')
  requireLength('text', text, textBounds)
  const body = { text, entities: spansOf(text) }
  const sent = await send(ctx, conversationId, { accountId: ctx.viewer.id, clientId, body })
  return present(ctx, conversationId, sent)
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
    return new Map(kept.map(({ id, ...message }) => [id, present(ctx, conversationId, message)]))
  })
}

export async function getMessage(ctx: UserCtx, { messageId }: { messageId: string }): Promise<Message> {
  const [conversationId = '', seq] = messageId.split('.')
  const wanted = { accountId: ctx.viewer.id, after: 0, cursor: Number(seq) + 1, backward: false, limit: 1 }
  const [message] = await readPage(ctx, conversationId, wanted)
  if (message?.seq !== Number(seq)) throw notFound()
  return present(ctx, conversationId, message)
}

export async function markConversationRead(
  ctx: UserCtx,
  { conversationId, seq }: Place & z.infer<typeof ReadMark>,
): Promise<void> {
  await markRead(ctx, conversationId, ctx.viewer.id, seq)
}

function present(ctx: UserCtx, conversationId: string, { seq, authorId, clientId, at, body }: StoredMessage): Message {
  return {
    id: `${conversationId}.${seq}`,
    conversationId,
    seq,
    authorId,
    clientId: authorId === ctx.viewer.id ? clientId : null,
    text: body?.text ?? null,
    entities: body?.entities ?? [],
    createdAt: new Date(at).toISOString(),
  }
}

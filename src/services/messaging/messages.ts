import type { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { loadPage, type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { cleanText, requireLength } from '../../platform/data/text.ts'
import { invalid, notFound } from '../../platform/failures.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { spansOf } from '../posts/queries.ts'
import { markRead, readPage, send } from './conversation.client.ts'
import type { Body, StoredMessage } from './facts.ts'
import type { GroupEvent } from './group-views.ts'
import { type Message, type MessageSending, textBounds } from './message-views.ts'
import { loadShown } from './shown-accounts.ts'
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
  { conversationId, clientId, text: typed }: Place & z.infer<typeof MessageSending>,
): Promise<Message> {
  const sent = await send(ctx, conversationId, { accountId: ctx.viewer.id, clientId, body: bodyOf(typed) })
  return present(ctx, conversationId, sent)
}

export function bodyOf(typed: string): Body {
  const text = cleanText('text', typed)
  if (text === '') throw invalid('text', 'is empty')
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
    const shown = await withoutHidden(ctx, kept)
    return new Map(shown.map(({ id, ...message }) => [id, present(ctx, conversationId, message)]))
  })
}

export async function getMessage(ctx: UserCtx, { messageId }: { messageId: string }): Promise<Message> {
  const { conversationId, seq } = placeOf(messageId)
  const wanted = { accountId: ctx.viewer.id, after: 0, cursor: seq + 1, backward: false, limit: 1 }
  const [message] = await readPage(ctx, conversationId, wanted)
  if (message?.seq !== seq) throw notFound()
  const [shown = message] = await withoutHidden(ctx, [message])
  return present(ctx, conversationId, shown)
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

const unseen = { kind: 'text', authorId: null, editedAt: null, body: null } as const

type Happened = { event: z.infer<typeof GroupEvent> | null }

/** Without author and text where the viewer may not know the author, who is suspended or blocks the viewer. */
export async function withoutHidden<M extends StoredMessage>(
  ctx: UserCtx,
  messages: readonly M[],
): Promise<(M & Happened)[]> {
  const own = ctx.viewer.id
  const others = messages.flatMap(({ authorId }) => (authorId && authorId !== own ? [authorId] : []))
  const named = messages.flatMap(({ system }) => [system?.actorId ?? [], system?.subjectId ?? []].flat())
  const load = messages.some(({ inGroup }) => inGroup) ? loadShown : loadAccountSummaries
  const known = await load(ctx, [...new Set([...others, ...named])])
  const isHidden = ({ authorId }: M) => authorId !== null && authorId !== own && !known.has(authorId)
  const accountOf = (id: Id | null) => (id && known.get(id)) ?? null
  const eventOf = ({ system }: M) =>
    system && { event: system.event, actor: accountOf(system.actorId), subject: accountOf(system.subjectId) }
  return messages.map((message) => ({ ...message, ...(isHidden(message) && unseen), event: eventOf(message) }))
}

export function present(ctx: UserCtx, conversationId: string, message: StoredMessage & Partial<Happened>): Message {
  const { seq, kind, authorId, clientId, at, editedAt, revision, body } = message
  return {
    id: `${conversationId}.${seq}`,
    conversationId,
    seq,
    kind,
    authorId,
    clientId: authorId === ctx.viewer.id ? clientId : null,
    text: body?.text ?? null,
    entities: body?.entities ?? [],
    event: message.event ?? null,
    createdAt: new Date(at).toISOString(),
    editedAt: editedAt === null ? null : new Date(editedAt).toISOString(),
    revision,
  }
}

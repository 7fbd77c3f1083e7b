import type { UserCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { iso } from '../../platform/personal-data.ts'
import { type AccountSummary, loadAccountSummaries } from '../accounts/views.ts'
import { mediaUrls } from '../media/views.ts'
import type { Attachment } from '../posts/tables.ts'
import type { Quote, Reaction, StoredMessage } from './facts.ts'
import type { Message } from './message-views.ts'
import { loadShown } from './shown-accounts.ts'

/** Nothing of accounts that the viewer may not know, because they are suspended or block it. */
export async function viewsOf(
  ctx: UserCtx,
  conversationId: string,
  messages: readonly StoredMessage[],
): Promise<Message[]> {
  const named = new Set(messages.flatMap((message) => accountsIn(message, ctx.viewer.id)))
  const load = messages.some(({ inGroup }) => inGroup) ? loadShown : loadAccountSummaries
  const known = await load(ctx, [...named])
  return Promise.all(messages.map(presenter(ctx, conversationId, known)))
}

export async function viewOf(ctx: UserCtx, conversationId: string, message: StoredMessage): Promise<Message> {
  const [view] = await viewsOf(ctx, conversationId, [message])
  if (!view) throw new Error('a message has no view')
  return view
}

/** Those of the system are shown as accounts, also the own one. */
function accountsIn({ authorId, replyTo, reactions, system }: StoredMessage, ownId: Id): Id[] {
  const others = [authorId, replyTo?.authorId ?? null, ...reactions.map(({ accountId }) => accountId)]
  const ids = [...others.filter((id) => id !== ownId), system?.actorId ?? null, system?.subjectId ?? null]
  return ids.filter((id) => id !== null)
}

const unseen = { kind: 'text', authorId: null, editedAt: null, body: null, replyTo: null, isPinned: false } as const

function presenter(ctx: UserCtx, conversationId: string, known: ReadonlyMap<Id, AccountSummary>) {
  const isHidden = (id: Id | null) => id !== null && id !== ctx.viewer.id && !known.has(id)
  const accountOf = (id: Id | null) => (id && known.get(id)) ?? null
  const eventOf = (system: StoredMessage['system']) =>
    system && { event: system.event, actor: accountOf(system.actorId), subject: accountOf(system.subjectId) }
  const quoteOf = (quote: Quote) => (isHidden(quote.authorId) ? { ...quote, authorId: null, text: null } : quote)
  return async (message: StoredMessage): Promise<Message> => {
    const { seq, clientId, at, revision, ...rest } = message
    const { kind, authorId, editedAt, body, replyTo, isPinned } = isHidden(message.authorId) ? unseen : rest
    return {
      ...{ id: `${conversationId}.${seq}`, conversationId, seq, kind, authorId, revision },
      clientId: authorId === ctx.viewer.id ? clientId : null,
      text: body?.text ?? null,
      entities: body?.entities ?? [],
      media: await Promise.all((body?.media ?? []).map((image) => imageOf(ctx, image))),
      replyTo: replyTo && quoteOf(replyTo),
      reactions: countsOf(
        ctx.viewer.id,
        rest.reactions.filter(({ accountId }) => !isHidden(accountId)),
      ),
      isPinned,
      event: eventOf(rest.system),
      createdAt: new Date(at).toISOString(),
      editedAt: iso(editedAt),
    }
  }
}

function countsOf(viewerId: Id, reactions: readonly Reaction[]) {
  const groups = [...Map.groupBy(reactions, ({ emoji }) => emoji)]
  return groups.map(([emoji, group]) => {
    return { emoji, count: group.length, isOwn: group.some(({ accountId }) => accountId === viewerId) }
  })
}

async function imageOf(ctx: UserCtx, { animated = false, ...image }: Attachment) {
  return { ...image, animated, ...(await mediaUrls(ctx, image.id, false)) }
}

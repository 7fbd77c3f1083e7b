import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure, notFound } from '../../platform/failures.ts'
import type { Block, Facts, Opening, PageOf, Sending, StoredMessage } from './facts.ts'

const conversation = (ctx: SystemCtx, id: string) => ctx.env.CONVERSATION.getByName(id)

/** Creates the conversation, or moves it to the inbox of who opens it. */
export async function open(ctx: SystemCtx, opening: Opening): Promise<Facts> {
  return conversation(ctx, opening.conversationId).open(opening)
}

/** Null for accounts that are not members, and if there is no such conversation. */
export async function readFacts(ctx: SystemCtx, id: string, accountId: Id): Promise<Facts | null> {
  return conversation(ctx, id).read(accountId)
}

export async function isMember(ctx: SystemCtx, id: string, accountId: Id): Promise<boolean> {
  return conversation(ctx, id).isMember(accountId)
}

/** Sending again with the same client id returns the first message. Throws `forbidden` after a block. */
export async function send(ctx: SystemCtx, id: string, sending: Sending): Promise<StoredMessage> {
  const sent = await conversation(ctx, id).send(sending)
  if (sent === 'ended') throw new Failure('forbidden', 'No messages can be sent in this conversation')
  if (sent === null) throw notFound()
  return sent
}

/** Newest first, or with `backward` oldest first. */
export async function readPage(ctx: SystemCtx, id: string, wanted: PageOf): Promise<StoredMessage[]> {
  const page = await conversation(ctx, id).page(wanted)
  if (page === null) throw notFound()
  return page
}

/** Returns when the inbox shows it. */
export async function markRead(ctx: SystemCtx, id: string, accountId: Id, seq: number): Promise<void> {
  if (!(await conversation(ctx, id).markRead(accountId, seq))) throw notFound()
}

/** Moves the conversation to the inbox of the account, or out of its sight. Returns when the inbox shows it. */
export async function answer(ctx: SystemCtx, id: string, accountId: Id, state: 'active' | 'declined'): Promise<void> {
  if (!(await conversation(ctx, id).answer(accountId, state))) throw notFound()
}

/** From when this returns, no message is accepted that the block forbids. */
export async function setBlock(ctx: SystemCtx, block: Block): Promise<void> {
  await conversation(ctx, block.conversationId).block(block)
}

/** Deletes what the account has written, and its membership. Returns when the inboxes of others no longer show it. */
export async function eraseFrom(ctx: SystemCtx, id: string, accountId: Id): Promise<void> {
  await conversation(ctx, id).erase(accountId)
}

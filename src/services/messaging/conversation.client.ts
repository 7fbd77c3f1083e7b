import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { type Code, Failure, invalid, notFound } from '../../platform/failures.ts'
import type {
  Acting,
  Block,
  Changes,
  ChangesSince,
  Facts,
  Found,
  History,
  Mark,
  News,
  NotDone,
  Opening,
  PageOf,
  Reaction,
  Searching,
  Sending,
  StoredMessage,
  WrittenAfter,
} from './facts.ts'

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

/** Sending again with the same client id returns the first message. Throws `forbidden`, `conflict` or `idempotency_mismatch`. */
export async function send(ctx: SystemCtx, id: string, sending: Sending): Promise<StoredMessage> {
  const sent = await conversation(ctx, id).send(sending)
  if (sent === 'ended') throw new Failure('forbidden', 'No messages can be sent in this conversation')
  if (sent === 'full') throw new Failure('conflict', 'The other account has not answered your first messages yet')
  if (sent === 'locked') throw new Failure('forbidden', 'Only the owner and admins write in this group')
  if (sent === 'mismatch') throw new Failure('idempotency_mismatch', 'This clientId was used for another message')
  if (sent === 'unanswerable') throw invalid('replyTo', 'is no message of this conversation')
  if (sent === 'used') throw invalid('media', 'contains an image that cannot be attached')
  if (sent === null) throw notFound()
  return sent
}

/** Newest first, or with `backward` oldest first. */
export async function readPage(ctx: SystemCtx, id: string, wanted: PageOf): Promise<StoredMessage[]> {
  const page = await conversation(ctx, id).page(wanted)
  if (page === null) throw notFound()
  return page
}

export async function readChanges(ctx: SystemCtx, id: string, wanted: ChangesSince): Promise<Changes> {
  const changes = await conversation(ctx, id).changes(wanted)
  if (changes === null) throw notFound()
  return changes
}

export async function readHistory(ctx: SystemCtx, id: string, accountId: Id, seq: number): Promise<History> {
  const found = await conversation(ctx, id).history(accountId, seq)
  if (found === null) throw notFound()
  return found
}

/** What an account has written, oldest first, also what it has deleted for itself. */
export async function readWritten(ctx: SystemCtx, id: string, wanted: WrittenAfter): Promise<History[]> {
  return conversation(ctx, id).written(wanted)
}

export async function readNews(ctx: SystemCtx, id: string, accountId: Id): Promise<News> {
  return (await conversation(ctx, id).news(accountId)) ?? { unread: 0, latest: [] }
}

export async function readPinned(ctx: SystemCtx, id: string, accountId: Id): Promise<StoredMessage[]> {
  const pinned = await conversation(ctx, id).pinned(accountId)
  if (pinned === null) throw notFound()
  return pinned
}

export async function readReactionsOf(
  ctx: SystemCtx,
  id: string,
  accountId: Id,
): Promise<(Reaction & { seq: number })[]> {
  return conversation(ctx, id).reactionsOf(accountId)
}

export async function hasSent(ctx: SystemCtx, id: string, accountId: Id, clientId: string): Promise<boolean> {
  const sent = await conversation(ctx, id).hasSent(accountId, clientId)
  if (sent === null) throw notFound()
  return sent
}

/** Whether a message has the image; for an account, one that it can see. */
export async function findImage(ctx: SystemCtx, id: string, mediaId: Id, accountId: Id | null): Promise<boolean> {
  return conversation(ctx, id).findImage(mediaId, accountId)
}

const whyNot: Record<NotDone, [Code, string]> = {
  ended: ['forbidden', 'Messages of this conversation cannot be changed'],
  foreign: ['forbidden', 'Only the author may do this'],
  late: ['conflict', 'A message can be edited for 24 hours'],
  often: ['conflict', 'A message can be edited 20 times'],
  kinds: ['conflict', 'You can react to a message with 5 emoji, and all together with 20'],
  empty: ['invalid', 'A message without images needs a text'],
  waiting: ['conflict', 'The other account has not accepted the conversation yet'],
  pins: ['conflict', 'A conversation can have 3 pinned messages'],
}

/** Returns the message as it is now, or `done` if it is gone. Throws `forbidden` or `conflict`. */
export async function act(ctx: SystemCtx, id: string, acting: Acting): Promise<StoredMessage | 'done'> {
  const acted = await conversation(ctx, id).act(acting)
  if (acted === null) throw notFound()
  if (acted === 'done' || typeof acted === 'object') return acted
  throw new Failure(...whyNot[acted])
}

/** Returns when the inbox shows it. */
export async function markRead(ctx: SystemCtx, id: string, accountId: Id, seq: number): Promise<void> {
  if (!(await conversation(ctx, id).markRead(accountId, seq))) throw notFound()
}

export async function markDelivered(ctx: SystemCtx, id: string, accountId: Id, seq: number): Promise<void> {
  if (!(await conversation(ctx, id).markDelivered(accountId, seq))) throw notFound()
}

/** Sends at most one frame to the others every 3 seconds. */
export async function tellTyping(ctx: SystemCtx, id: string, accountId: Id): Promise<void> {
  if (!(await conversation(ctx, id).typing(accountId))) throw notFound()
}

export async function readMarks(ctx: SystemCtx, id: string, accountId: Id): Promise<Mark[]> {
  const marks = await conversation(ctx, id).marks(accountId)
  if (marks === null) throw notFound()
  return marks
}

/** Until a time (epoch ms). Returns when the inbox shows it. */
export async function mute(ctx: SystemCtx, id: string, accountId: Id, until: number): Promise<void> {
  if (!(await conversation(ctx, id).mute(accountId, until))) throw notFound()
}

export async function search(ctx: SystemCtx, id: string, searching: Searching): Promise<Found> {
  const found = await conversation(ctx, id).search(searching)
  if (found === null) throw notFound()
  return found
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

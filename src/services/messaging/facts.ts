import type { Id } from '../../platform/data/ids.ts'
import type { spansOf } from '../posts/queries.ts'
import type { Attachment } from '../posts/tables.ts'
import type { SystemEvent } from './group-facts.ts'
import type { GroupEvent, Kind, MessageKind, State } from './tables.ts'

/** What a conversation is for one of its members. `preview` is the beginning of its last message that the member sees, `shownSeq`. */
export type Facts = {
  conversationId: string
  kind: Kind
  name: string | null
  memberCount: number
  otherId: Id | null
  state: State
  ended: boolean
  lastSeq: number
  shownSeq: number
  shownKind: MessageKind
  lastEvent: GroupEvent | null
  lastAt: number
  lastAuthorId: Id | null
  readSeq: number
  unread: number
  mutedUntil: number
  revision: number
  preview: string | null
}

export type Body = { text: string; entities: ReturnType<typeof spansOf>; media?: Attachment[] }
export type Reaction = { accountId: Id; emoji: string; at: number }
/** Of the message that another one answers. Without author and text if the reader cannot see it. */
export type Quote = { seq: number; authorId: Id | null; text: string | null }
/** Without an author or a body after the erasure of its author. */
export type StoredMessage = {
  seq: number
  inGroup: boolean
  kind: MessageKind
  system: SystemEvent | null
  authorId: Id | null
  clientId: string | null
  at: number
  editedAt: number | null
  revision: number
  body: Body | null
  replyTo: Quote | null
  reactions: Reaction[]
  isPinned: boolean
}
export type Version = { at: number; body: Body | null }
/** Unread messages of others, for a mail or push: the newest one of each author, newest first. */
export type News = { unread: number; latest: { seq: number; authorId: Id; at: number; preview: string | null }[] }
export type History = { message: StoredMessage; versions: Version[] }
/** `hidden`: the numbers of messages that the account has deleted for itself. */
export type Changes = { messages: StoredMessage[]; hidden: number[]; revision: number; hasMore: boolean }

/** `otherState`: the folder in which the other account finds it. */
export type Opening = { conversationId: string; accountId: Id; otherId: Id; otherState: State }
export type Sending = { accountId: Id; clientId: string; body: Body; replyTo?: number | null }
export type PageOf = { accountId: Id; after: number; cursor: number | null; backward: boolean; limit: number }
export type WrittenAfter = { accountId: Id; after: number; limit: number }
export type Searching = { accountId: Id; terms: string[]; before: number | null; limit: number }
export type Found = { messages: StoredMessage[]; next: number | null }
export type ChangesSince = { accountId: Id; since: number; limit: number }
/**
 * Why a message is refused. `full`: a request with all messages that it may have; `mismatch`: its client id was used for
 * another one; `unanswerable`: it answers one that its sender cannot see; `used`: another message has its image.
 */
export type Refused = 'ended' | 'full' | 'mismatch' | 'unanswerable' | 'used' | 'locked'
/** What a member does to a message. `hide` deletes it for this member only. */
export type Act =
  | { kind: 'edit'; body: Body }
  | { kind: 'delete' | 'hide' | 'pin' }
  | { kind: 'react'; emoji: string }
  | Undoing
export type Undoing = { kind: 'unpin' } | { kind: 'unreact'; emoji: string }
export type Acting = { accountId: Id; seq: number; act: Act }
export type NotDone = 'ended' | 'foreign' | 'late' | 'often' | 'kinds' | 'pins' | 'empty' | 'waiting'
export type Mark = { accountId: Id; deliveredSeq: number; readSeq: number }
export type Block = { conversationId: string; accountId: Id; otherId: Id; isBlocking: boolean }

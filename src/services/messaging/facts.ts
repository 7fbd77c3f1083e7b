import type { Id } from '../../platform/data/ids.ts'
import type { spansOf } from '../posts/queries.ts'
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
  revision: number
  preview: string | null
}

export type Body = { text: string; entities: ReturnType<typeof spansOf> }
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
}
export type Version = { at: number; body: Body | null }
export type History = { message: StoredMessage; versions: Version[] }
/** `hidden`: the numbers of messages that the account has deleted for itself. */
export type Changes = { messages: StoredMessage[]; hidden: number[]; revision: number; hasMore: boolean }

/** `otherState`: the folder in which the other account finds it. */
export type Opening = { conversationId: string; accountId: Id; otherId: Id; otherState: State }
export type Sending = { accountId: Id; clientId: string; body: Body }
export type PageOf = { accountId: Id; after: number; cursor: number | null; backward: boolean; limit: number }
export type WrittenAfter = { accountId: Id; after: number; limit: number }
export type ChangesSince = { accountId: Id; since: number; limit: number }
/** Why a message is refused. `full`: a request with all messages that it may have; `mismatch`: its client id was used for another text. */
export type Refused = 'ended' | 'full' | 'mismatch' | 'locked'
/** What a member does to a message. `hide` deletes it for this member only. */
export type Act = { kind: 'edit'; body: Body } | { kind: 'delete' } | { kind: 'hide' }
export type Acting = { accountId: Id; seq: number; act: Act }
export type NotDone = 'ended' | 'foreign' | 'late' | 'often'
export type Block = { conversationId: string; accountId: Id; isBlocking: boolean }

import type { Id } from '../../platform/data/ids.ts'
import type { spansOf } from '../posts/queries.ts'
import type { State } from './tables.ts'

/** What a conversation is for one of its members. `preview` is the beginning of the last message. */
export type Facts = {
  conversationId: string
  otherId: Id | null
  state: State
  ended: boolean
  lastSeq: number
  lastAt: number
  lastAuthorId: Id | null
  readSeq: number
  preview: string | null
}

export type Body = { text: string; entities: ReturnType<typeof spansOf> }
/** Without an author or a body after the erasure of its author. */
export type StoredMessage = {
  seq: number
  authorId: Id | null
  clientId: string | null
  at: number
  body: Body | null
}

/** `otherState`: the folder in which the other account finds it. */
export type Opening = { conversationId: string; accountId: Id; otherId: Id; otherState: State }
export type Sending = { accountId: Id; clientId: string; body: Body }
export type PageOf = { accountId: Id; after: number; cursor: number | null; backward: boolean; limit: number }
/** `eventId`: of two changes of a block, the later one has the greater id. */
export type Block = { conversationId: string; accountId: Id; eventId: Id; isBlocking: boolean }

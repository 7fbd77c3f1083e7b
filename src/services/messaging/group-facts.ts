import type { Id } from '../../platform/data/ids.ts'
import type { Adding, Role } from './group-policy.ts'
import type { GroupEvent } from './tables.ts'

export const MAX_MEMBERS = 100
export const MAX_ASKING = 500

/** Who is added to a group. `follows`: it follows who adds it, and so joins at once; others get a request. */
export type Invitee = { accountId: Id; follows: boolean }
export type GroupCreation = {
  conversationId: string
  ownerId: Id
  name: string
  invitees: Invitee[]
  fingerprint: string
}

export type Settings = { name: string | null; locked: boolean; historyVisible: boolean; adding: Adding }
export type LinkRule = { audience: 'anyone' | 'followed'; approval: boolean; expiresAt: number | null }
/** What a member sees of its group. `link` is for those who may change it. */
export type StoredGroup = Settings & {
  conversationId: string
  role: Role
  since: number
  memberCount: number
  link: LinkRule | null
}

type On = { accountId: Id }
export type GroupChange =
  | { kind: 'add'; invitees: Invitee[] }
  | ({ kind: 'remove' } & On)
  | { kind: 'leave' }
  | ({ kind: 'set-role'; role: Role } & On)
  | ({ kind: 'edit' } & Partial<Settings & { name: string }>)
  | { kind: 'link'; link: (LinkRule & { hash: string }) | null }
  | ({ kind: 'approve' | 'refuse' } & On)
/** `absent`: for who is no member of the group, and for a target that is none. */
export type GroupRefusal = 'absent' | 'forbidden' | 'full'

export type MembersOf = {
  accountId: Id
  state: 'active' | 'asking'
  cursor: number | null
  backward: boolean
  limit: number
}
export type StoredMember = { accountId: Id; role: Role; since: number }

/** What a valid link shows. `ownerId` decides who may use it. */
export type LinkPreview = LinkRule & { ownerId: Id; name: string | null; memberCount: number }
export type Joining = { accountId: Id; hash: string; ownerId: Id }

export type SystemEvent = { event: GroupEvent; actorId: Id | null; subjectId: Id | null }

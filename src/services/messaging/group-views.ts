import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { describeBounds } from '../../platform/data/text.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { AccountSummary } from '../accounts/views.ts'
import { MAX_MEMBERS } from './group-facts.ts'
import { addingRules, roles } from './group-policy.ts'
import { ConversationId, GroupEventName } from './views.ts'

export const nameBounds = { characters: 100, bytes: 2_000 }
const MAX_MEMBER_ID = 49
const MAX_CODE = 55
const MAX_HOURS = 8_760

export const GroupRole = openEnum('GroupRole', roles, 'What a member may do')
const GroupAdding = openEnum('GroupAdding', addingRules, 'Who may add members')
const LinkAudience = openEnum('LinkAudience', ['anyone', 'followed'], 'Who may join: `followed` by the owner')

export const MemberId = z
  .string()
  .regex(/^[0-9a-f]{32}\.[1-9]\d{0,15}$/)
  .refine((id) => Id.safeParse(id.split('.')[1]).success, 'names no account')
  .openapi({
    maxLength: MAX_MEMBER_ID,
    description: 'The id of the group, a period, and the id of the account',
    example: '5f0c3b7a9d1e4f2680b4c6d8e0f1a2b3.1970324836990977',
  })

const historyVisible = z
  .boolean()
  .openapi({ description: 'Who joins reads what was written since this was switched on' })
const locked = z.boolean().openapi({ description: 'Only the owner and admins write' })
const name = z.string().openapi(describeBounds(nameBounds))

export const GroupLink = z
  .object({
    audience: LinkAudience,
    approval: z.boolean().openapi({ description: 'An admin decides on each request to join' }),
    expiresAt: z.iso.datetime().nullable(),
  })
  .openapi('GroupLink', { example: { expiresAt: null, approval: false } })

export const Group = z
  .object({
    id: ConversationId,
    name: z.string().nullable().openapi({ description: 'Null if who has chosen it was erased' }),
    role: GroupRole,
    memberCount: z.int(),
    locked,
    historyVisible,
    adding: GroupAdding,
    link: z.union([GroupLink, z.null()]).openapi({ description: 'Null without a link, and for members' }),
  })
  .openapi('Group', { example: { name: 'Analytical engines', memberCount: 3, locked: false, link: null } })
export type Group = z.infer<typeof Group>

export const GroupCreation = z
  .strictObject({
    name,
    members: z
      .array(Id)
      .max(MAX_MEMBERS - 1)
      .default([])
      .openapi({ description: 'Who follows you joins at once; others get a request' }),
  })
  .openapi('GroupCreation')
export type GroupCreation = z.infer<typeof GroupCreation>

export const GroupChange = z
  .strictObject({
    name: name.optional(),
    locked: locked.optional(),
    historyVisible: historyVisible.optional(),
    adding: GroupAdding.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'must have at least one field')
  .openapi('GroupChange', { minProperties: 1 })
export type GroupChange = z.infer<typeof GroupChange>

const since = z.iso.datetime().nullable().openapi({ description: 'When it joined or asked; null in a pair' })

export const Member = z
  .object({ id: MemberId, account: AccountSummary, role: GroupRole, since })
  .openapi('Member', { example: { role: 'admin' } })
export type Member = z.infer<typeof Member>
export const MemberPage = pageOf('Member', Member)

export const JoinRequest = z.object({ id: MemberId, account: AccountSummary, since }).openapi('JoinRequest')
export type JoinRequest = z.infer<typeof JoinRequest>
export const JoinRequestPage = pageOf('JoinRequest', JoinRequest)

export const RoleChange = z
  .strictObject({ role: GroupRole.openapi({ description: '`owner` hands the group over; you are an admin then' }) })
  .openapi('RoleChange')

export const LinkCreation = z
  .strictObject({
    audience: LinkAudience,
    approval: z.boolean(),
    hours: z
      .int()
      .min(1)
      .max(MAX_HOURS)
      .optional()
      .openapi({ description: 'How long it is valid; for ever by default' }),
  })
  .openapi('LinkCreation')
export type LinkCreation = z.infer<typeof LinkCreation>

const code = z
  .string()
  .regex(/^[0-9a-f]{32}\.[\w-]{22}$/)
  .openapi({ maxLength: MAX_CODE, example: '5f0c3b7a9d1e4f2680b4c6d8e0f1a2b3.Zm9vYmFyYmF6cXV4MTIzNA' })
export const CreatedLink = GroupLink.extend({
  code: code.openapi({ description: 'The secret of the link, which no other answer contains' }),
}).openapi('CreatedLink')
export type CreatedLink = z.infer<typeof CreatedLink>
export const LinkCode = z.strictObject({ code }).openapi('LinkCode')

export const GroupPreview = z
  .object({ name: z.string().nullable(), memberCount: z.int() })
  .openapi('GroupPreview', { example: { name: 'Analytical engines', memberCount: 3 } })
export const JoinOutcome = openEnum('JoinOutcome', ['joined', 'asked'], '`asked`: an admin decides')
export const Joined = z
  .object({ conversationId: ConversationId, outcome: JoinOutcome })
  .openapi('Joined', { example: { outcome: 'joined' } })

const account = z
  .union([AccountSummary, z.null()])
  .openapi({ description: 'Null if it was erased or is hidden from you, and where nobody is meant' })
/** What happened: who did it, and to whom. */
export const GroupEvent = z
  .object({ event: GroupEventName, actor: account, subject: account })
  .openapi('GroupEvent', { example: { event: 'joined' } })

import type { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { notFound } from '../../platform/failures.ts'
import { changeGroup, readMembers, wouldAdd } from './group.client.ts'
import type { MembersOf, StoredMember } from './group-facts.ts'
import type { Group, JoinRequest, Member, RoleChange } from './group-views.ts'
import { getGroup } from './groups.ts'
import { inviteesOf, spendRequests } from './invitees.ts'
import { loadShown } from './shown-accounts.ts'
import { conversations } from './tables.ts'

type MemberPlace = { memberId: string }

export async function listMembers(
  ctx: UserCtx,
  { conversationId, ...query }: { conversationId: string } & PageQuery,
): Promise<Page<Member>> {
  return pageOfMembers(ctx, conversationId, 'active', query, (view, { role }) => ({ ...view, role }))
}

export async function listJoinRequests(
  ctx: UserCtx,
  { groupId, ...query }: { groupId: string } & PageQuery,
): Promise<Page<JoinRequest>> {
  return pageOfMembers(ctx, groupId, 'asking', query, (view) => view)
}

/** Adding a member again, or somebody who has declined, changes nothing and answers the same. */
export async function addMember(ctx: UserCtx, { memberId }: MemberPlace): Promise<Group> {
  const { groupId, accountId } = partsOf(memberId)
  const invitees = await inviteesOf(ctx, [accountId])
  if (!invitees) throw notFound()
  const isNew = await wouldAdd(ctx, groupId, { by: ctx.viewer.id, accountId })
  if (isNew) {
    await spendRequests(ctx, invitees)
    await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'add', invitees })
  }
  return getGroup(ctx, { groupId })
}

export async function removeMember(ctx: UserCtx, { memberId }: MemberPlace): Promise<void> {
  const { groupId, accountId } = partsOf(memberId)
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'remove', accountId })
}

export async function setMemberRole(
  ctx: UserCtx,
  { memberId, role }: MemberPlace & z.infer<typeof RoleChange>,
): Promise<void> {
  const { groupId, accountId } = partsOf(memberId)
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'set-role', accountId, role })
}

export async function approveJoinRequest(ctx: UserCtx, { requestId }: { requestId: string }): Promise<void> {
  const { groupId, accountId } = partsOf(requestId)
  if (!(await inviteesOf(ctx, [accountId]))) throw notFound()
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'approve', accountId })
}

export async function refuseJoinRequest(ctx: UserCtx, { requestId }: { requestId: string }): Promise<void> {
  const { groupId, accountId } = partsOf(requestId)
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'refuse', accountId })
}

type View = JoinRequest

async function pageOfMembers<T>(
  ctx: UserCtx,
  id: string,
  state: MembersOf['state'],
  query: PageQuery,
  present: (view: View, member: StoredMember) => T,
): Promise<Page<T>> {
  const from = await seek(ctx, query, `${state} members of ${id}`, conversations.position)
  const { hasCursor, backward } = from.variant
  const cursor = hasCursor ? from.values.cursor : null
  const wanted = { accountId: ctx.viewer.id, state, cursor, backward, limit: from.limit }
  const members = await readMembers(ctx, id, wanted)
  const rows = members.map((member) => ({ ...member, id: member.accountId }))
  return loadPage(ctx, from, rows, async (kept) => {
    const known = await loadShown(
      ctx,
      kept.map(({ accountId }) => accountId),
    )
    return new Map(
      kept.flatMap((member) => {
        const account = known.get(member.accountId)
        const since = member.since > 0 ? new Date(member.since).toISOString() : null
        return account ? [[member.id, present({ id: `${id}.${account.id}`, account, since }, member)] as const] : []
      }),
    )
  })
}

function partsOf(memberId: string): { groupId: string; accountId: Id } {
  const [groupId = '', accountId] = memberId.split('.')
  return { groupId, accountId: toId(Number(accountId)) }
}

import type { UserCtx } from '../../platform/context.ts'
import { Made } from '../../platform/data/idempotency.ts'
import { cleanLine, requireLength } from '../../platform/data/text.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { changeGroup, createIn, readGroup } from './group.client.ts'
import type { StoredGroup } from './group-facts.ts'
import { type Group, type GroupChange, type GroupCreation, nameBounds } from './group-views.ts'
import { inviteesOf, spendRequests } from './invitees.ts'
import { groupLimit } from './limits.ts'
import { groupOf } from './policy.ts'

type Place = { groupId: string }

/** The object of the group is what makes it idempotent: the key leads to the same one. */
export async function createGroup(ctx: UserCtx, input: GroupCreation): Promise<Made<Group>> {
  const { id: ownerId } = ctx.viewer
  const name = cleanedName(input.name)
  const ids = [...new Set(input.members)].filter((id) => id !== ownerId)
  const conversationId = await groupOf(ctx.config, ownerId, ctx.idempotencyKey)
  const fingerprint = await blindIndex(ctx.config, 'group request', JSON.stringify([name, ids.toSorted()]))
  const replayed = ctx.idempotencyKey !== undefined && (await readGroup(ctx, conversationId, ownerId)) !== null
  const invitees = replayed ? [] : await inviteesOf(ctx, ids)
  if (!invitees) throw invalid('members', 'contains an account that cannot be added')
  await spendRequests(ctx, invitees)
  if (!replayed) await spend(ctx, groupLimit, ownerId)
  const isSame = await createIn(ctx, { conversationId, ownerId, name, invitees, fingerprint })
  if (!isSame) throw new Failure('idempotency_mismatch')
  return new Made(await getGroup(ctx, { groupId: conversationId }), replayed)
}

export async function getGroup(ctx: UserCtx, { groupId }: Place): Promise<Group> {
  const group = await readGroup(ctx, groupId, ctx.viewer.id)
  if (!group) throw notFound()
  return present(group)
}

export async function editGroup(ctx: UserCtx, { groupId, name, ...settings }: Place & GroupChange): Promise<Group> {
  const change = name === undefined ? settings : { ...settings, name: cleanedName(name) }
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'edit', ...change })
  return getGroup(ctx, { groupId })
}

export async function leaveGroup(ctx: UserCtx, { groupId }: Place): Promise<void> {
  await changeGroup(ctx, groupId, ctx.viewer.id, { kind: 'leave' })
}

function cleanedName(typed: string): string {
  const name = cleanLine('name', typed)
  if (name === '') throw invalid('name', 'is empty')
  requireLength('name', name, nameBounds)
  return name
}

function present({ conversationId: id, since: _, link, ...group }: StoredGroup): Group {
  const expiresAt = link?.expiresAt ? new Date(link.expiresAt).toISOString() : null
  return { id, ...group, link: link && { ...link, expiresAt } }
}

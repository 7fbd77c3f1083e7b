import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure, notFound } from '../../platform/failures.ts'
import type {
  GroupChange,
  GroupCreation,
  GroupRefusal,
  Joining,
  LinkPreview,
  MembersOf,
  StoredGroup,
  StoredMember,
} from './group-facts.ts'

const conversation = (ctx: SystemCtx, id: string) => ctx.env.CONVERSATION.getByName(id)

const refusals = {
  absent: () => notFound(),
  forbidden: () => new Failure('forbidden', 'Your role in the group does not allow this'),
  full: () => new Failure('conflict', 'The group has as many members as it may have'),
}

const isRefusal = (outcome: unknown): outcome is GroupRefusal => typeof outcome === 'string' && outcome in refusals

function granted<T>(outcome: T | GroupRefusal): T {
  if (isRefusal(outcome)) throw refusals[outcome]()
  return outcome
}

/** Creates the group once; later calls change nothing. False if the id was used for another group. */
export async function createIn(ctx: SystemCtx, creation: GroupCreation): Promise<boolean> {
  return conversation(ctx, creation.conversationId).createGroup(creation)
}

/** Null for accounts that are not members, and if there is no such group. */
export async function readGroup(ctx: SystemCtx, id: string, accountId: Id): Promise<StoredGroup | null> {
  return conversation(ctx, id).readGroup(accountId)
}

/** From when this returns, the group shows the change. Inboxes follow within seconds, if their shard is slow. */
export async function changeGroup(ctx: SystemCtx, id: string, by: Id, change: GroupChange): Promise<void> {
  granted(await conversation(ctx, id).changeGroup(by, change))
}

/** Whether adding the account would change something. Throws as `changeGroup` would. */
export async function wouldAdd(ctx: SystemCtx, id: string, adding: { by: Id; accountId: Id }): Promise<boolean> {
  return granted<boolean>(await conversation(ctx, id).wouldAdd(adding))
}

export async function readMembers(ctx: SystemCtx, id: string, wanted: MembersOf): Promise<StoredMember[]> {
  return granted(await conversation(ctx, id).members(wanted))
}

export async function previewLink(
  ctx: SystemCtx,
  id: string,
  accountId: Id,
  hash: string,
): Promise<LinkPreview | null> {
  return conversation(ctx, id).previewLink(accountId, hash)
}

export async function joinGroup(ctx: SystemCtx, id: string, joining: Joining): Promise<'joined' | 'asked'> {
  return granted<'joined' | 'asked'>(await conversation(ctx, id).join(joining))
}

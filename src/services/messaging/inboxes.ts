import { and, eq, exists, gte, inArray, lt, max, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { withDatabases } from '../../platform/create-context.ts'
import { any, either, increment, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { firstIdAt, type Id, shardOf } from '../../platform/data/ids.ts'
import { settleConcurrently } from '../../platform/data/shards.ts'
import { frameOf, publish } from '../../platform/realtime/channels.ts'
import type { HubFrame } from '../../platform/realtime/hub-frames.ts'
import { hubName, hubs } from '../../platform/realtime/hubs.ts'
import { sealFor } from '../../platform/security/account-keys.ts'
import { accounts } from '../accounts/tables.ts'
import { conversationChannel, conversationsChannel } from './channels.ts'
import type { Facts } from './facts.ts'
import { GROUP_NAME, PREVIEW } from './queries.ts'
import { conversations } from './tables.ts'

/** `told`: what `toldBy` returned for the last copy that was sent to the sockets of the member. `changedSeq` was changed since then. */
export type InboxCopy = Facts & { accountId: Id; version: number; told: string; changedSeq: number | null }

/** What frames tell a member: nothing of a block. */
export const toldBy = ({ lastSeq, readSeq, state, revision }: Facts) => `${lastSeq} ${readSeq} ${state} ${revision}`

export function readTold(told: string): { lastSeq: number; revision: number } {
  const [lastSeq, , , revision] = told.split(' ')
  return { lastSeq: Number(lastSeq), revision: Number(revision ?? 0) }
}

/** Copies what a conversation is for its members to their inboxes, and then tells their sockets. Repeating it is harmless. */
export async function deliverInboxes(ctx: SystemCtx, copies: readonly InboxCopy[]): Promise<void> {
  const own = withDatabases(ctx, { start: 'first-primary' })
  const groups = [...Map.groupBy(copies, ({ accountId }) => shardOf(accountId))]
  await settleConcurrently(groups, async ([shard, group]) => {
    const db = own.db.shard(shard)
    const sealed = await Promise.all(group.map((copy) => sealedTexts(ctx, copy)))
    const writes = group.map((copy, i) => store(db, copy, sealed[i] ?? { preview: null, name: null }))
    const names = [...new Set(group.map(({ accountId }) => hubName(ctx, accountId)))]
    const select = db.select({ name: hubs.name }).from(hubs).where(inArray(hubs.name, names))
    const results = await db.batch([select, ...writes])
    const active = new Set(results[0].map(({ name }) => name))
    const mayHear = (copy: InboxCopy) => copy.state !== 'declined' && copy.lastSeq > 0 && copy.told !== toldBy(copy)
    const told = group.filter((copy) => active.has(hubName(ctx, copy.accountId)) && mayHear(copy))
    const byHub = [...Map.groupBy(told, ({ accountId }) => hubName(ctx, accountId))]
    await settleConcurrently(byHub, ([name, members]) => publish(ctx, [{ name }], members.flatMap(framesFor)))
  })
}

async function sealedTexts(ctx: SystemCtx, { accountId, preview, name }: InboxCopy): Promise<SealedTexts> {
  return {
    preview: preview === null ? null : await sealFor(ctx, accountId, preview, PREVIEW),
    name: name === null ? null : await sealFor(ctx, accountId, name, GROUP_NAME),
  }
}

type SealedTexts = { preview: string | null; name: string | null }

/** An erased account gets no row. */
function store(
  db: Database,
  { accountId, conversationId, version, told: _, changedSeq: __, ...facts }: InboxCopy,
  texts: SealedTexts,
) {
  const newest = query.select({ changed: max(conversations.changed) }).from(conversations)
  const latest = newest.where(eq(conversations.accountId, accountId))
  const now = firstIdAt(db.now())
  const next = either<Id>(gte(latest, now), increment(latest), now)
  const isListed = facts.lastSeq > 0
  const hasMoved = any(lt(conversations.lastSeq, facts.lastSeq), ne(conversations.state, facts.state))
  const row = { ...facts, lastAt: new Date(facts.lastAt), ...texts, version }
  const account = query.select(one).from(accounts).where(eq(accounts.id, accountId))
  const changed = isListed ? next : null
  const key = { accountId, conversationId, position: changed, changed }
  return db
    .insert(conversations)
    .select(rowIf(conversations, { ...row, ...key }, exists(account)))
    .onConflictDoUpdate({
      target: [conversations.accountId, conversations.conversationId],
      set: { ...row, ...(isListed && { changed, position: either<Id>(hasMoved, next, conversations.position) }) },
      setWhere: and(lt(conversations.version, version)),
    })
}

function framesFor(copy: InboxCopy): HubFrame[] {
  const { accountId, conversationId, lastSeq: seq, readSeq, state, revision, version, changedSeq } = copy
  const options = { key: `${conversationId}:${accountId}:${version}` }
  const topic = `account:${accountId}` as const
  const name = `conversation:${conversationId}`
  const changed = { conversationId, seq, readSeq, state, revision }
  const frames = [frameOf(conversationsChannel, topic, { ...options, event: 'conversation.changed', data: changed })]
  // To members instead of those who joined, so that nobody hears a conversation that it has left.
  if (seq > readTold(copy.told).lastSeq && state !== 'left') {
    const sent = frameOf(conversationChannel, { name }, { ...options, event: 'message.sent', data: { seq } })
    frames.push({ ...sent, topic })
  }
  if (changedSeq !== null) {
    const data = { seq: changedSeq, revision }
    const other = { key: `${options.key}:changed`, event: 'message.changed', data } as const
    frames.push({ ...frameOf(conversationChannel, { name }, other), topic })
  }
  return frames
}

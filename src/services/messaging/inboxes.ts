import { and, eq, exists, gte, inArray, lt, max, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { withDatabases } from '../../platform/create-context.ts'
import { any, either, excluded, increment, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { firstIdAt, type Id, shardOf } from '../../platform/data/ids.ts'
import { idIn, settleConcurrently } from '../../platform/data/shards.ts'
import { frameOf, publish } from '../../platform/realtime/channels.ts'
import type { HubFrame } from '../../platform/realtime/hub-frames.ts'
import { hubName, hubs } from '../../platform/realtime/hubs.ts'
import { destroyKeys, sealFor, sealForKnown } from '../../platform/security/account-keys.ts'
import { accounts } from '../accounts/tables.ts'
import { duePushes, hintMessagePushes, type News, planMessageDeliveries } from '../deliveries/statements.ts'
import { conversationChannel, conversationsChannel } from './channels.ts'
import type { Facts } from './facts.ts'
import { GROUP_NAME, PREVIEW } from './queries.ts'
import { conversations } from './tables.ts'

/** `told`: what `toldBy` returned for the last copy that was sent to the sockets of the member. `changedSeq` was changed since then. */
export type InboxCopy = Facts & {
  accountId: Id
  version: number
  told: string
  changedSeq: number | null
  /** What a mail or push may tell the member. */
  news: Pick<News, 'seq' | 'authorId' | 'at'> | null
}

/** What frames tell a member: nothing of a block, and nothing of changes in a request. */
export const toldBy = ({ lastSeq, readSeq, state, revision, mutedUntil }: Facts) =>
  `${lastSeq} ${readSeq} ${state} ${state === 'request' ? 0 : revision} ${mutedUntil}`

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
    const sealed = await sealAll(ctx, db, group)
    const writes = group.map((copy, i) => store(db, copy, sealed[i] ?? { preview: null, name: null }))
    const names = [...new Set(group.map(({ accountId }) => hubName(ctx, accountId)))]
    const select = db.select({ name: hubs.name }).from(hubs).where(inArray(hubs.name, names))
    const news = newsOf(group)
    const plans = news.flatMap((each) => planMessageDeliveries(db, each))
    const due = duePushes(
      db,
      news.flatMap(({ accountIds }) => accountIds),
    )
    const results = await db.batch([select, ...writes, ...plans, ...(news.length > 0 ? [due] : [])])
    const found = results.flatMap((rows): { name?: string; accountId?: Id }[] => ('meta' in rows ? [] : rows))
    const active = new Set(found.map(({ name }) => name))
    const mayHear = (copy: InboxCopy) => copy.state !== 'declined' && copy.lastSeq > 0 && copy.told !== toldBy(copy)
    const told = group.filter((copy) => active.has(hubName(ctx, copy.accountId)) && mayHear(copy))
    const byHub = [...Map.groupBy(told, ({ accountId }) => hubName(ctx, accountId))]
    await Promise.all([
      settleConcurrently(byHub, ([name, members]) => publish(ctx, [{ name }], members.flatMap(framesFor))),
      hintMessagePushes(
        ctx,
        found.flatMap(({ accountId }) => accountId ?? []),
      ),
    ])
  })
}

/** Grouped by message, because the members of a group are usually told about the same one. */
function newsOf(copies: readonly InboxCopy[]): News[] {
  const told = copies.flatMap(({ conversationId, version, accountId, state, news }) =>
    news ? [{ ...news, conversationId, version, accountId, isRequest: state === 'request' }] : [],
  )
  const groups = Map.groupBy(told, ({ seq, authorId, isRequest }) => `${seq} ${authorId} ${isRequest}`)
  return [...groups.values()].flatMap((group) =>
    group.slice(0, 1).map((first) => ({ ...first, accountIds: group.map(({ accountId }) => accountId) })),
  )
}

type Sealing = { ctx: SystemCtx; stored: () => Promise<Set<Id>>; created: Set<Id> }

/** A key that an erasure has destroyed must not be created again by a late delivery. */
async function sealAll(ctx: SystemCtx, db: Database, copies: readonly InboxCopy[]): Promise<SealedTexts[]> {
  const ids = copies.map(({ accountId }) => accountId)
  const read = async () => {
    const rows = await db.select({ id: accounts.id }).from(accounts).where(idIn(accounts.id, ids))
    return new Set(rows.map(({ id }) => id))
  }
  const first = once(read)
  const sealing = { ctx, stored: first, created: new Set<Id>() }
  const sealed = await Promise.all(copies.map((copy) => sealedTexts(sealing, copy)))
  if (sealing.created.size > 0) await destroyKeys(ctx, [...sealing.created.difference(await read())])
  return sealed
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | null = null
  return () => {
    known ??= read()
    return known
  }
}

async function sealedTexts(sealing: Sealing, { accountId, preview, name }: InboxCopy): Promise<SealedTexts> {
  return {
    preview: await sealedFor(sealing, accountId, preview, PREVIEW),
    name: await sealedFor(sealing, accountId, name, GROUP_NAME),
  }
}

async function sealedFor({ ctx, stored, created }: Sealing, id: Id, text: string | null, context: string) {
  if (text === null) return null
  const sealed = await sealForKnown(ctx, id, text, context)
  if (sealed !== null || !(await stored()).has(id)) return sealed
  created.add(id)
  return sealFor(ctx, id, text, context)
}

type SealedTexts = { preview: string | null; name: string | null }

/** An erased account gets no row. */
function store(
  db: Database,
  { accountId, conversationId, version, told: _, changedSeq: __, news: ___, ...facts }: InboxCopy,
  texts: SealedTexts,
) {
  const now = Number(firstIdAt(db.now())) // no column is compared, so a text would be greater than any number
  const latest = max(conversations.changed)
  const later = { changed: either<number | Id>(gte(latest, now), increment(latest), now) }
  const next = query.select(later).from(conversations).where(eq(conversations.accountId, accountId))
  const isListed = facts.lastSeq > 0
  const hasMoved = any(lt(conversations.lastSeq, facts.lastSeq), ne(conversations.state, facts.state))
  const row = { ...facts, lastAt: new Date(facts.lastAt), ...texts, version }
  const account = query.select(one).from(accounts).where(eq(accounts.id, accountId))
  const changed = isListed ? next : null
  const key = { accountId, conversationId, position: changed, changed }
  const position = either<Id>(hasMoved, excluded(conversations.position), conversations.position)
  return db
    .insert(conversations)
    .select(rowIf(conversations, { ...row, ...key }, exists(account)))
    .onConflictDoUpdate({
      target: [conversations.accountId, conversations.conversationId],
      set: {
        ...row,
        ...(isListed && { changed: excluded(conversations.changed), position }),
      },
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
  const mayRead = copy.kind === 'pair' || state === 'active'
  if (seq > readTold(copy.told).lastSeq && mayRead) {
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

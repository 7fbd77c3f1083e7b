import { and, eq, inArray } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { withDatabases } from '../../platform/create-context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { frameOf, publish } from '../../platform/realtime/channels.ts'
import type { HubFrame } from '../../platform/realtime/hub-frames.ts'
import { hubName, hubs } from '../../platform/realtime/hubs.ts'
import { blocks } from '../accounts/tables.ts'
import { conversationChannel } from './channels.ts'
import type { Mark } from './facts.ts'
import { messageSettings } from './tables.ts'

type Telling = { conversationId: string; accountId: Id; others: readonly Id[] }
type Frame = Omit<HubFrame, 'topic'>

export async function tellOfTyping(ctx: SystemCtx, telling: Telling): Promise<void> {
  const { accountId } = telling
  await tell(ctx, telling, frame(telling, 'typing', { event: 'member.typing', data: { accountId } }))
}

export async function tellOfMark(ctx: SystemCtx, telling: Telling, mark: Mark): Promise<void> {
  const { deliveredSeq, readSeq } = mark
  const key = `mark:${deliveredSeq}:${readSeq}`
  await tell(ctx, telling, frame(telling, key, { event: 'member.marked', data: mark }))
}

export async function keepingMarks(ctx: SystemCtx, accountIds: readonly Id[]): Promise<Set<Id>> {
  const rows = await fromShards(ctx.db, accountIds, (db, group) =>
    db
      .select({ id: messageSettings.accountId })
      .from(messageSettings)
      .where(and(idIn(messageSettings.accountId, group), eq(messageSettings.sharesMarks, false))),
  )
  return new Set(rows.map(({ id }) => id))
}

type Told = { event: 'member.typing'; data: { accountId: Id } } | { event: 'member.marked'; data: Mark }

function frame({ conversationId, accountId }: Telling, key: string, told: Told): Frame {
  const name = `conversation:${conversationId}`
  return frameOf(conversationChannel, { name }, { ...told, key: `${conversationId}:${accountId}:${key}` })
}

/** Only who shares own marks gets those of others, and nobody those of an account across a block. */
async function tell(ctx: SystemCtx, { accountId, others }: Telling, frame: Frame): Promise<void> {
  const own = withDatabases(ctx, { start: 'first-primary' })
  const byHub = Map.groupBy(others, (id) => hubName(ctx, id))
  const [keeping, apart, active] = await Promise.all([
    keepingMarks(own, [accountId, ...others]),
    apartFrom(own, accountId, others),
    fromShards(own.db, others, (db, group) => {
      const names = group.map((id) => hubName(ctx, id))
      return db.select({ name: hubs.name }).from(hubs).where(inArray(hubs.name, names))
    }),
  ])
  if (keeping.has(accountId)) return
  const calls = active.map(({ name }) => {
    const listeners = (byHub.get(name) ?? []).filter((id) => !keeping.has(id) && !apart.has(id))
    return publish(
      ctx,
      [{ name }],
      listeners.map((id) => ({ ...frame, topic: `account:${id}` })),
    )
  })
  await Promise.all(calls)
}

/** Read where each block was stored first. */
async function apartFrom(ctx: SystemCtx, accountId: Id, others: readonly Id[]): Promise<Set<Id>> {
  const between = and(eq(blocks.accountId, accountId), idIn(blocks.otherId, others))
  const [blocked, blocking] = await Promise.all([
    ctx.db.shardOf(accountId).select({ id: blocks.otherId }).from(blocks).where(between),
    fromShards(ctx.db, others, (db, group) =>
      db
        .select({ id: blocks.accountId })
        .from(blocks)
        .where(and(idIn(blocks.accountId, group), eq(blocks.otherId, accountId))),
    ),
  ])
  return new Set([...blocked, ...blocking].map(({ id }) => id))
}

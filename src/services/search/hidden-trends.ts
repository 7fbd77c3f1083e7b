import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { record } from '../../platform/events/events.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { trendHidden, trendShown } from './events.ts'
import { hiddenTrends, trendKinds } from './tables.ts'
import { storeTrends } from './trend-lists.ts'
import { forgetKept } from './trending.ts'

const TrendKindView = openEnum('TrendKind', trendKinds, 'What is trending')
export const TrendName = z
  .strictObject({
    kind: TrendKindView,
    key: z.string().min(1).max(2_000).openapi({ description: 'The id of the post, the tag or the URL' }),
  })
  .openapi('TrendName')
type TrendName = z.infer<typeof TrendName>

export async function hideTrend(ctx: UserCtx, { kind, key }: TrendName): Promise<void> {
  await ctx.db.index.insert(hiddenTrends).values({ kind, key }).onConflictDoNothing()
  await announce(ctx, trendHidden, { kind, key })
}

export async function showTrend(ctx: UserCtx, { kind, key }: TrendName): Promise<void> {
  await ctx.db.index.delete(hiddenTrends).where(and(eq(hiddenTrends.kind, kind), eq(hiddenTrends.key, key)))
  await announce(ctx, trendShown, { kind, key })
}

async function announce(ctx: UserCtx, event: typeof trendHidden, { kind, key }: TrendName): Promise<void> {
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  await db.commit([record(db, event, { accountId, kind, key, ...(await actorOf(ctx)) })])
  forgetKept()
  await storeTrends(ctx)
}

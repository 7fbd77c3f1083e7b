import { z } from '@hono/zod-openapi'
import { lt } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { invalid } from '../../platform/failures.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { spansOf, tagOf } from '../posts/queries.ts'
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

export const hideTrend = (ctx: UserCtx, trend: TrendName) => curate(ctx, trend, true)
export const showTrend = (ctx: UserCtx, trend: TrendName) => curate(ctx, trend, false)

/** The event is the truth, for the audit log and for the index. It takes effect at once if the index answers. */
async function curate(ctx: UserCtx, named: TrendName, isHidden: boolean): Promise<void> {
  const trend = { kind: named.kind, key: keyIn(named) }
  const accountId = ctx.viewer.id
  const about = trend.kind === 'link' ? new URL(trend.key).host : trend.key
  const db = ctx.db.shardOf(accountId)
  const event = isHidden ? trendHidden : trendShown
  const [[recorded]] = await db.commit([record(db, event, { accountId, ...trend, about, ...(await actorOf(ctx)) })])
  if (recorded)
    await applyCuration(ctx, trend, isHidden, recorded.id).catch((error: unknown) =>
      ctx.log.warn('a trend is changed later', { error }),
    )
}

/** The event with the highest id wins, in whatever order events arrive. */
export async function applyCuration(
  ctx: SystemCtx,
  { kind: name, key }: Trend,
  isHidden: boolean,
  eventId: Id,
): Promise<void> {
  const kind = trendKinds.find((each) => each === name)
  if (!kind) return
  await ctx.db.index
    .insert(hiddenTrends)
    .values({ kind, key, isHidden, eventId })
    .onConflictDoUpdate({
      target: [hiddenTrends.kind, hiddenTrends.key],
      set: { isHidden, eventId },
      setWhere: lt(hiddenTrends.eventId, eventId),
    })
  forgetKept()
  await storeTrends(ctx)
}

type Trend = { kind: string; key: string }

/** The key as votes have it. Throws `invalid` if it names nothing of its kind. */
function keyIn({ kind, key }: TrendName): string {
  const [span] = kind === 'link' ? spansOf(key) : []
  const link = span?.kind === 'link' && span.end === Array.from(key).length ? span.url : undefined
  const found = kind === 'post' ? Id.safeParse(key).data : kind === 'tag' ? tagOf(key) : link
  if (!found) throw invalid('key', `is no ${kind}`)
  return found
}

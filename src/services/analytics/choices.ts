import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { activityChoices } from './tables.ts'

export const ActivityChoice = z
  .object({
    agreed: z
      .boolean()
      .nullable()
      .openapi({
        description:
          'True: you are counted as a reader. False: nothing that you do is counted as yours. Null: not decided, so you are ' +
          'counted as active when you act, and never as a reader',
      }),
  })
  .openapi('ActivityChoice', { example: { agreed: true } })
type ActivityChoice = z.infer<typeof ActivityChoice>

export const ActivityDecision = z.strictObject({ agreed: z.boolean() }).openapi('ActivityDecision')

export async function getActivityChoice(ctx: UserCtx): Promise<ActivityChoice> {
  const { id } = ctx.viewer
  const db = ctx.db.shardOf(id)
  const [row] = await db
    .select({ agreed: activityChoices.agreed })
    .from(activityChoices)
    .where(eq(activityChoices.accountId, id))
  return { agreed: row?.agreed ?? null }
}

export async function setActivityChoice(ctx: UserCtx, { agreed }: { agreed: boolean }): Promise<ActivityChoice> {
  const { id } = ctx.viewer
  const set = { agreed, decidedAt: ctx.now() }
  await ctx.db
    .shardOf(id)
    .insert(activityChoices)
    .values({ accountId: id, ...set })
    .onConflictDoUpdate({ target: activityChoices.accountId, set })
  return { agreed }
}

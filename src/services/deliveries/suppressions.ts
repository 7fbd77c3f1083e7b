import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { settleConcurrently } from '../../platform/data/shards.ts'
import { senderOf } from '../../platform/mail.ts'
import { verifiedOwnersOf } from '../identity/queries.ts'
import { suppressedAddresses } from './tables.ts'

const about = { sender: z.string(), recipient: z.string() }

const Refusal = z.union([
  z.object({
    type: z.literal('cf.email.sending.message.bounced'),
    payload: z.object({ ...about, bounce: z.object({ type: z.literal('hard') }) }),
  }),
  z.object({ type: z.literal('cf.email.sending.message.complained'), payload: z.object(about) }),
])

/** The queue also gets reports about other senders of the operator's account, which are ignored. */
export async function noteRefusals(ctx: SystemCtx, reports: readonly unknown[]): Promise<void> {
  const sender = senderOf(ctx).email
  const refused = reports.flatMap((report) => {
    const { data } = Refusal.safeParse(report)
    return data?.payload.sender === sender ? data.payload.recipient : []
  })
  const owners = await verifiedOwnersOf(ctx, refused)
  await settleConcurrently(owners, ({ accountId, index }) => suppress(ctx, accountId, index))
}

export async function suppress(ctx: SystemCtx, accountId: Id, address: string): Promise<void> {
  await ctx.db
    .shardOf(accountId)
    .insert(suppressedAddresses)
    .values({ accountId, address })
    .onConflictDoUpdate({ target: suppressedAddresses.accountId, set: { address } })
}

export async function forgetSuppression(ctx: UserCtx): Promise<void> {
  const own = eq(suppressedAddresses.accountId, ctx.viewer.id)
  await ctx.db.shardOf(ctx.viewer.id).delete(suppressedAddresses).where(own)
}

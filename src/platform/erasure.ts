import { eq } from 'drizzle-orm'
import type { SystemCtx } from './context.ts'
import { deleteInSteps } from './data/expiry.ts'
import { idempotencyKeys } from './data/idempotency.ts'
import type { Id } from './data/ids.ts'
import { eraseFromHub } from './realtime/hub.client.ts'
import { accountGuard } from './security/access-guard.client.ts'
import { eraseFromFeed } from './security/revocation-feed.client.ts'

export async function eraseRequests(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const { accountId: owner, operation, key } = idempotencyKeys
  await accountGuard(ctx, accountId).erase()
  await eraseFromFeed(ctx, accountId)
  return deleteInSteps(ctx.db.shardOf(accountId), idempotencyKeys, [owner, operation, key], eq(owner, accountId))
}

export async function eraseSockets(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  await eraseFromHub(ctx, accountId)
  return true
}

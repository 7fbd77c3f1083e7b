import { z } from '@hono/zod-openapi'
import { and, asc, eq, exists, ne, not } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { any, one, query, rowIf } from '../../platform/data/conditions.ts'
import { Id, isoTimeOf, shardOf } from '../../platform/data/ids.ts'
import { mapConcurrently, withFreshId } from '../../platform/data/shards.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { openAllFor, sealFor } from '../../platform/security/account-keys.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { outboundUrl } from '../../platform/security/outbound-url.ts'
import { deviceNameOf } from '../../platform/security/user-agents.ts'
import { readLogins } from '../identity/queries.ts'
import { MAX_PUSH_SUBSCRIPTIONS, tooManyPushSubscriptions } from './failures.ts'
import { importPoint } from './push-encryption.ts'
import { pushSubscriptions } from './tables.ts'

const CONTEXT = 'push'
const encoded = (bytes: number, description: string) =>
  z
    .string()
    .max(Math.ceil((bytes * 4) / 3) + 2)
    .regex(new RegExp(`^[\\w-]{${Math.ceil((bytes * 4) / 3)}}={0,2}$`), `must be ${bytes} bytes in base64url`)
    .openapi({ description })

const Keys = z
  .strictObject({
    p256dh: encoded(65, 'The public key of the browser, an uncompressed P-256 point in base64url'),
    auth: encoded(16, '16 bytes in base64url'),
  })
  .openapi('PushSubscriptionKeys')

export const PushSubscriptionInput = z
  .strictObject({
    endpoint: z
      .string()
      .max(1_000)
      .openapi({ description: 'The https address that the browser got from its push service' }),
    keys: Keys,
  })
  .openapi('PushSubscriptionInput')
type Input = z.infer<typeof PushSubscriptionInput>

export const PushDevice = z
  .object({ id: Id, device: z.string(), createdAt: z.iso.datetime() })
  .openapi('PushDevice', { example: { device: 'Firefox on Linux' } })
type PushDevice = z.infer<typeof PushDevice>
export const PushDevices = z.object({ items: z.array(PushDevice) }).openapi('PushDevices')
export const PushDevicePath = z.object({ subscriptionId: Id })

export async function subscribeToPush(ctx: UserCtx, { endpoint, keys }: Input): Promise<PushDevice> {
  const { id: accountId, sessionId, issuedAt } = ctx.viewer
  const { href } = addressOf(ctx, endpoint)
  await importPoint(bytesOf(keys.p256dh)).catch(() => {
    throw invalid('keys.p256dh', 'must be a point of the curve P-256')
  })
  const endpointHash = await blindIndex(ctx.config, CONTEXT, href)
  const sealed = await sealFor(ctx, accountId, JSON.stringify({ endpoint: href, ...keys }), CONTEXT)
  const device = deviceNameOf(ctx.client?.userAgent ?? null) ?? 'An unknown device'
  const own = query.select(one).from(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId))
  const isFull = exists(own.limit(1).offset(MAX_PUSH_SUBSCRIPTIONS - 1))
  const same = and(eq(pushSubscriptions.accountId, accountId), eq(pushSubscriptions.endpointHash, endpointHash))
  const mayAdd = any(not(isFull), exists(query.select(one).from(pushSubscriptions).where(same)))
  await forgetElsewhere(ctx, accountId, endpointHash)
  const [row] = await withFreshId(ctx, shardOf(accountId), pushSubscriptions.id, (id) =>
    ctx.db
      .shardOf(accountId)
      .insert(pushSubscriptions)
      .select(rowIf(pushSubscriptions, { accountId, id, sessionId, endpointHash, sealed, issuedAt, device }, mayAdd))
      .onConflictDoUpdate({
        target: [pushSubscriptions.endpointHash, pushSubscriptions.accountId],
        set: { sessionId, sealed, issuedAt, device },
      })
      .returning(),
  )
  if (!row) throw new Failure(tooManyPushSubscriptions)
  return viewOf(row)
}

/** A browser belongs to the person who has subscribed with it last. */
async function forgetElsewhere(ctx: SystemCtx, accountId: Id, endpointHash: string): Promise<void> {
  const isForeign = and(eq(pushSubscriptions.endpointHash, endpointHash), ne(pushSubscriptions.accountId, accountId))
  await mapConcurrently(ctx.db.shards, (shard) => ctx.db.shard(shard).delete(pushSubscriptions).where(isForeign))
}

function addressOf(ctx: SystemCtx, endpoint: string): URL {
  try {
    return outboundUrl(ctx.config, endpoint)
  } catch {
    throw invalid('endpoint', 'must be a public https address')
  }
}

const viewOf = ({ id, device }: Pick<typeof pushSubscriptions.$inferSelect, 'id' | 'device'>) => ({
  id,
  device,
  createdAt: isoTimeOf(id),
})

export async function listPushSubscriptions(ctx: UserCtx): Promise<z.infer<typeof PushDevices>> {
  return { items: (await readPushes(ctx, ctx.viewer.id)).map(viewOf) }
}

export async function deletePushSubscription(ctx: UserCtx, { subscriptionId }: { subscriptionId: Id }): Promise<void> {
  if (!(await forgetPush(ctx, ctx.viewer.id, subscriptionId))) throw notFound()
}

export async function forgetPush(ctx: SystemCtx, accountId: Id, id: Id): Promise<boolean> {
  const own = and(eq(pushSubscriptions.accountId, accountId), eq(pushSubscriptions.id, id))
  const { meta } = await ctx.db.shardOf(accountId).delete(pushSubscriptions).where(own)
  return meta.changes > 0
}

export async function readPushes(ctx: SystemCtx, accountId: Id) {
  const own = eq(pushSubscriptions.accountId, accountId)
  return ctx.db.shardOf(accountId).select().from(pushSubscriptions).where(own).orderBy(asc(pushSubscriptions.id))
}

/** Without those of logins that have ended, and of tokens that were revoked, which are forgotten. */
export async function readLivePushes(ctx: SystemCtx, accountId: Id) {
  const rows = await readPushes(ctx, accountId)
  const { live, voidBefore } = await readLogins(
    ctx,
    accountId,
    rows.map(({ sessionId }) => sessionId),
  )
  const isLive = (row: (typeof rows)[number]) => live.has(row.sessionId) && row.issuedAt >= voidBefore
  const [kept, ended] = [rows.filter(isLive), rows.filter((row) => !isLive(row))]
  await mapConcurrently(ended, ({ id }) => forgetPush(ctx, accountId, id))
  return kept
}

const Opened = z.object({ endpoint: z.string(), p256dh: z.string(), auth: z.string() })

export async function openPushes(
  ctx: SystemCtx,
  accountId: Id,
  rows: readonly (typeof pushSubscriptions.$inferSelect)[],
) {
  const texts = await openAllFor(
    ctx,
    accountId,
    rows.map(({ sealed }) => sealed),
    CONTEXT,
  )
  return rows.flatMap((row, i) => {
    const text = texts[i]
    return text ? [{ ...viewOf(row), ...Opened.parse(JSON.parse(text)) }] : []
  })
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text.replace(/=+$/, ''), { alphabet: 'base64url' })
}

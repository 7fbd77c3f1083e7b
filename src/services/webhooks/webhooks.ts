import { z } from '@hono/zod-openapi'
import { and, desc, eq, ne, notExists, type SQL } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed, failUnless, one, query, refusals } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { type Claim, idempotent, type Made } from '../../platform/data/idempotency.ts'
import { Id, shardOf, timeOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { type Bounds, cleanText, describeBounds, requireLength } from '../../platform/data/text.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { outboundUrl } from '../../platform/security/outbound-url.ts'
import { wake } from './endpoint.client.ts'
import {
  webhookChanged,
  webhookCreated,
  webhookDeleted,
  webhookPaused,
  webhookResumed,
  webhookSecretRenewed,
} from './events.ts'
import { tooManyWebhooks } from './failures.ts'
import { WebhookEvent } from './kinds.ts'
import { FORMER_SECRET_HOURS, MAX_FORMER_SECRETS, MAX_WEBHOOKS } from './policy.ts'
import { type Row, valid, viewOf, viewsOf } from './presentation.ts'
import { isOwn } from './queries.ts'
import { openSealed, sealSecret, sealUrl } from './sealed.ts'
import { newSecret } from './secrets.ts'
import { forgetSubscribers } from './subscribers.ts'
import { webhookEndpoints, webhookEvents } from './tables.ts'
import type { Webhook, WebhookWithSecret } from './views.ts'

const DESCRIPTION: Bounds = { characters: 200, bytes: 2_000 }

const url = z.string().min(1).max(2_000).openapi({ description: 'A public https address', format: 'uri' })
const description = z.string().openapi(describeBounds(DESCRIPTION))
const events = z.array(WebhookEvent).min(1).max(webhookEvents.length)

export const WebhookCreation = z
  .strictObject({ url, events, description: description.default('') })
  .openapi('WebhookCreation')
type WebhookCreation = z.infer<typeof WebhookCreation>

export const WebhookChange = z
  .strictObject({ url: url.optional(), events: events.optional(), description: description.optional() })
  .refine((change) => Object.keys(change).length > 0, 'must have at least one field')
  .openapi('WebhookChange', { minProperties: 1 })
type WebhookChange = z.infer<typeof WebhookChange>

export const WebhookPath = z.object({ webhookId: Id })
type WebhookPath = z.infer<typeof WebhookPath>

function checked<T extends WebhookChange>(ctx: UserCtx, change: T): T {
  const text = change.description === undefined ? undefined : cleanText('description', change.description)
  requireLength('description', text ?? '', DESCRIPTION)
  return {
    ...change,
    ...(change.url !== undefined && { url: addressOf(ctx, change.url) }),
    ...(change.events && { events: [...new Set(change.events)] }),
    ...(text !== undefined && { description: text }),
  }
}

/** Checked twice, because the written form may be longer than what was typed. */
function addressOf({ config }: UserCtx, typed: string): string {
  return outboundUrl(config, outboundUrl(config, typed).href).href
}

/** The secret is returned here and by `renewWebhookSecret` only. */
export function createWebhook(ctx: UserCtx, given: WebhookCreation): Promise<Made<WebhookWithSecret>> {
  return idempotent(
    ctx,
    'createWebhook',
    given,
    (claim) => insert(ctx, checked(ctx, given), claim),
    async (primary, webhookId) => {
      const row = await requireOwn(primary, webhookId)
      const [secret = null] = await openSealed(primary, row.accountId, [row.sealedSecret])
      if (secret === null) throw notFound()
      return { ...(await viewOf(primary, row)), secret }
    },
  )
}

async function insert(
  ctx: UserCtx,
  { url: typed, ...input }: WebhookCreation,
  claim: Claim,
): Promise<WebhookWithSecret> {
  const accountId = ctx.viewer.id
  const secret = newSecret()
  const [sealedSecret, address, actor] = await Promise.all([
    sealSecret(ctx, accountId, secret),
    sealUrl(ctx, accountId, typed),
    actorOf(ctx),
  ])
  const row = { accountId, ...input, ...address, state: 'active' as const, sealedSecret, formerSecrets: [] }
  const db = ctx.db.shardOf(accountId)
  const created = await withFreshId(ctx, shardOf(accountId), webhookEndpoints.id, async (id) => {
    const createdAt = Math.max(ctx.now(), timeOf(id))
    await db
      .commit([
        db.insert(webhookEndpoints).values({ id, ...row, createdAt }),
        ...claim(db, id),
        ...requireRoom(db, accountId, { id, urlIndex: address.urlIndex }),
        record(db, webhookCreated, { accountId, webhookId: id, ...actor }),
      ])
      .catch(refusals({ [FULL]: () => new Failure(tooManyWebhooks), [TAKEN]: taken }))
    return { id, ...row, createdAt }
  })
  forgetSubscribers(accountId)
  return { ...(await viewOf(ctx, created)), secret }
}

const FULL = 'too_many'
const TAKEN = 'taken'
/** A second webhook would send each message twice. */
const taken = () => invalid('url', 'is the address of another webhook of yours')

/** After the insert, and after the claim: a repeat with the same key needs no room. */
function requireRoom(db: Database, accountId: Id, { id, urlIndex }: { id: Id; urlIndex: string }) {
  const own = eq(webhookEndpoints.accountId, accountId)
  const extra = query.select(one).from(webhookEndpoints).where(own).limit(1).offset(MAX_WEBHOOKS)
  const same = query
    .select(one)
    .from(webhookEndpoints)
    .where(isOther(accountId, id, urlIndex))
  return [failUnless(db, notExists(same), TAKEN), failUnless(db, notExists(extra), FULL)]
}

function isOther(accountId: Id, id: Id, urlIndex: string): SQL | undefined {
  const own = eq(webhookEndpoints.accountId, accountId)
  return and(own, eq(webhookEndpoints.urlIndex, urlIndex), ne(webhookEndpoints.id, id))
}

export async function listWebhooks(ctx: UserCtx): Promise<{ items: Webhook[] }> {
  const { id } = ctx.viewer
  const own = eq(webhookEndpoints.accountId, id)
  const db = atPrimary(ctx).shardOf(id)
  const rows = await db.select().from(webhookEndpoints).where(own).orderBy(desc(webhookEndpoints.id))
  return { items: await viewsOf(ctx, rows) }
}

export async function getWebhook(ctx: UserCtx, { webhookId }: WebhookPath): Promise<Webhook> {
  return viewOf(ctx, await requireOwn(ctx, webhookId))
}

/** The row, read at the primary. Throws `not_found` if the viewer has no such webhook. */
export async function requireOwn(ctx: UserCtx, webhookId: Id): Promise<Row> {
  const { id } = ctx.viewer
  const [row] = await atPrimary(ctx).shardOf(id).select().from(webhookEndpoints).where(isOwn(id, webhookId))
  if (!row) throw notFound()
  return row
}

export async function editWebhook(
  ctx: UserCtx,
  { webhookId, ...given }: WebhookPath & WebhookChange,
): Promise<Webhook> {
  const input = checked(ctx, given)
  const address = input.url === undefined ? undefined : await sealUrl(ctx, ctx.viewer.id, input.url)
  if (address) await requireNewAddress(ctx, webhookId, address.urlIndex)
  const row = await change(ctx, webhookId, { ...input, ...address }, webhookChanged)
  if (input.url !== undefined) await tryToWake(ctx, webhookId)
  return viewOf(ctx, row)
}

/** Former secrets go on signing for a day, so that receivers can be changed without losing messages. */
export async function renewWebhookSecret(ctx: UserCtx, { webhookId }: WebhookPath): Promise<WebhookWithSecret> {
  const secret = newSecret()
  const { sealedSecret: former, formerSecrets } = await requireOwn(ctx, webhookId)
  const until = ctx.now() + FORMER_SECRET_HOURS * 3_600_000
  const set = {
    sealedSecret: await sealSecret(ctx, ctx.viewer.id, secret),
    formerSecrets: [{ sealed: former, until }, ...valid(ctx, formerSecrets)].slice(0, MAX_FORMER_SECRETS),
  }
  const isUnchanged = eq(webhookEndpoints.sealedSecret, former)
  const row = await change(ctx, webhookId, set, webhookSecretRenewed, isUnchanged)
  return { ...(await viewOf(ctx, row)), secret }
}

async function requireNewAddress(ctx: UserCtx, webhookId: Id, urlIndex: string): Promise<void> {
  const { id } = ctx.viewer
  const db = atPrimary(ctx).shardOf(id)
  const found = await db
    .select(one)
    .from(webhookEndpoints)
    .where(isOther(id, webhookId, urlIndex))
  if (found.length > 0) throw taken()
}

async function change(
  ctx: UserCtx,
  webhookId: Id,
  set: Parameters<ReturnType<ReturnType<UserCtx['db']['shardOf']>['update']>['set']>[0],
  event: typeof webhookChanged,
  when?: SQL,
): Promise<Row> {
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  const [[row]] = await db.commit([
    db
      .update(webhookEndpoints)
      .set(set)
      .where(and(isOwn(accountId, webhookId), when))
      .returning(),
    record(db, event, { accountId, webhookId, ...(await actorOf(ctx)) }, changed),
  ])
  if (!row) throw when ? new Failure('conflict', 'The webhook was changed meanwhile') : notFound()
  return row
}

export async function deleteWebhook(ctx: UserCtx, { webhookId }: WebhookPath): Promise<void> {
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  const [deleted] = await db.commit([
    db.delete(webhookEndpoints).where(isOwn(accountId, webhookId)).returning({ id: webhookEndpoints.id }),
    record(db, webhookDeleted, { accountId, webhookId, ...(await actorOf(ctx)) }, changed),
  ])
  if (deleted.length === 0) throw notFound()
}

/** From now on, events are not recorded. What waits is sent after `resumeWebhook`. */
export async function pauseWebhook(ctx: UserCtx, { webhookId }: WebhookPath): Promise<Webhook> {
  return viewOf(ctx, await change(ctx, webhookId, { state: 'paused' }, webhookPaused))
}

export async function resumeWebhook(ctx: UserCtx, { webhookId }: WebhookPath): Promise<void> {
  await change(ctx, webhookId, { state: 'active' }, webhookResumed)
  await tryToWake(ctx, webhookId)
}

/** A failure loses nothing: the event of the change does the same. */
async function tryToWake(ctx: UserCtx, webhookId: Id): Promise<void> {
  await wake(ctx, webhookId).catch((error: unknown) => ctx.log.warn('a webhook is woken by its event', { error }))
}

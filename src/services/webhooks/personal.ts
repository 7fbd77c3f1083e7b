import { asc, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, type PersonalData } from '../../platform/personal-data.ts'
import { clear } from './endpoint.client.ts'
import { isOwn } from './queries.ts'
import { openSealed } from './sealed.ts'
import { webhookEndpoints } from './tables.ts'

export const webhookData: PersonalData = {
  inventory: {
    ...classify(webhookEndpoints, {
      accountId: 'owner',
      id: 'technical',
      url: 'exported',
      urlIndex: 'technical',
      description: 'exported',
      events: 'exported',
      state: 'exported',
      sealedSecret: 'secret',
      formerSecrets: 'secret',
      createdAt: 'exported',
    }),
    'object WEBHOOK.endpoint': {
      id: 'technical',
      account_id: 'owner',
      failures: 'technical',
      failing_since: 'technical',
      failed_at: 'technical',
      exhausted: 'technical',
      rests_until: 'technical',
      held_until: 'technical',
      minute: 'technical',
      sent: 'technical',
      stop: 'technical',
    },
    'object WEBHOOK.deliveries': {
      id: 'technical',
      type: 'technical',
      body: 'others',
      state: 'technical',
      is_shown: 'technical',
      attempts: 'technical',
      next_at: 'technical',
      finished_at: 'technical',
      last_status: 'technical',
      answer: 'technical',
    },
    'object WEBHOOK.known': { id: 'technical' },
    'object WEBHOOK.attempts': {
      delivery_id: 'technical',
      number: 'technical',
      at: 'technical',
      duration_ms: 'technical',
      status: 'technical',
      error: 'technical',
    },
  },
  exported,
  erase,
}

function webhooksOf(ctx: SystemCtx, accountId: Id) {
  const own = eq(webhookEndpoints.accountId, accountId)
  return ctx.db.shardOf(accountId).select().from(webhookEndpoints).where(own).orderBy(asc(webhookEndpoints.id))
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const own = await webhooksOf(ctx, accountId)
  const urls = await openSealed(
    ctx,
    accountId,
    own.map(({ url }) => url),
  )
  const described = own.map(({ description, events, state, createdAt }, i) => {
    return { url: urls[i] ?? null, description, events, state, createdAt: iso(createdAt) }
  })
  yield jsonFile('webhooks.json', described)
}

/** The row is deleted last, because it leads to the object. */
async function erase(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  for (const { id } of await webhooksOf(ctx, accountId)) {
    await clear(ctx, id)
    await ctx.db.shardOf(accountId).delete(webhookEndpoints).where(isOwn(accountId, id))
  }
  return true
}

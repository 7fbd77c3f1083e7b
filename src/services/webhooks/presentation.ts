import type { UserCtx } from '../../platform/context.ts'
import { openSealed } from './sealed.ts'
import type { webhookEndpoints } from './tables.ts'
import type { Webhook } from './views.ts'

export type Row = typeof webhookEndpoints.$inferSelect

export const valid = (ctx: UserCtx, secrets: Row['formerSecrets']) => secrets.filter(({ until }) => until > ctx.now())

export async function viewsOf(ctx: UserCtx, rows: readonly Row[]): Promise<Webhook[]> {
  const addresses = rows.map(({ url }) => url)
  const urls = await openSealed(ctx, ctx.viewer.id, addresses)
  return rows.map((row, i) => present(ctx, { ...row, url: urls[i] ?? '' }))
}

export async function viewOf(ctx: UserCtx, row: Row): Promise<Webhook> {
  const [url = null] = await openSealed(ctx, row.accountId, [row.url])
  return present(ctx, { ...row, url: url ?? '' })
}

function present(ctx: UserCtx, { id, url, description, events, state, createdAt, formerSecrets }: Row): Webhook {
  const until = valid(ctx, formerSecrets)[0]?.until
  return {
    id,
    url,
    description,
    events,
    state,
    createdAt: new Date(createdAt).toISOString(),
    formerSecretUntil: until === undefined ? null : new Date(until).toISOString(),
  }
}

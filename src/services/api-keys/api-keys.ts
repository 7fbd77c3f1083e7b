import { z } from '@hono/zod-openapi'
import { and, eq, exists, gt, not } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { all, changed, one, query, refusals, rowIf, valueIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id, shardOf, timeOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { type Bounds, cleanLine, describeBounds, requireLength } from '../../platform/data/text.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { hashOfKey, newApiKey, readKeyUses, storeApiKeys } from '../../platform/security/api-keys.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { sessionOfKey } from '../../platform/security/key-logins.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { grantableScopes } from '../../platform/security/scopes.ts'
import { acceptsKeys, ENDED, loginLasts, mailIfChanged, refusedIfEnded } from '../identity/statements.ts'
import { apiKeyCreated, apiKeyDeleted } from './events.ts'
import { tooManyApiKeys } from './failures.ts'
import { MAX_API_KEY_DAYS, MAX_API_KEYS } from './policy.ts'
import { grantOf, liveApiKeys } from './queries.ts'
import { apiKeys } from './tables.ts'

const NAME: Bounds = { characters: 50, bytes: 200 }

export const ApiKeyRequest = z
  .strictObject({
    name: z.string().min(1).openapi(describeBounds(NAME)),
    scopes: z.array(z.string().max(50)).min(1).max(50).openapi({
      description: 'What the key allows: scopes in `x-scopes` of the security scheme `bearer`, but not `moderation`',
    }),
    days: z.int().min(1).max(MAX_API_KEY_DAYS).openapi({ description: 'For how many days the key works' }),
  })
  .openapi('ApiKeyRequest')
type ApiKeyRequest = z.infer<typeof ApiKeyRequest>

const ApiKey = z
  .object({
    id: Id,
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().openapi({ description: 'To the hour; null if the key was never used' }),
  })
  .openapi('ApiKey', {
    example: { name: 'Weather bot', scopes: ['posts:write'], lastUsedAt: '2026-03-14T09:26:53.589Z' },
  })
type ApiKey = z.infer<typeof ApiKey>

const EXAMPLE = `sc_1970324836974593_${'3f9a1c07e5b28d46'.repeat(4)}6d1e0b7a`
export const ApiKeyWithSecret = ApiKey.extend({
  key: z.string().openapi({ description: 'Returned only once. Send it as `Authorization: Bearer`' }),
}).openapi('ApiKeyWithSecret', { example: { key: EXAMPLE, lastUsedAt: null } })
type ApiKeyWithSecret = z.infer<typeof ApiKeyWithSecret>

export const ApiKeys = z.object({ items: z.array(ApiKey) }).openapi('ApiKeys')
type ApiKeys = z.infer<typeof ApiKeys>

export const ApiKeyPath = z.object({ apiKeyId: Id })

/** The key is stored as a hash only, so a repeated request cannot return it again: it creates another key. */
export async function createApiKey(ctx: UserCtx, { days, ...input }: ApiKeyRequest): Promise<ApiKeyWithSecret> {
  const accountId = ctx.viewer.id
  const name = nameOf(input.name)
  const scopes = allowedScopes(ctx, input.scopes).join(' ')
  const key = newApiKey(accountId)
  const hash = await hashOfKey(key)
  const actor = await actorOf(ctx)
  const createdAt = ctx.now()
  const expiresAt = valueIf(all(loginLasts(ctx), acceptsKeys(accountId, createdAt)), createdAt + days * DAY_MS, ENDED)
  const row = { accountId, hash, name, scopes, createdAt, expiresAt }
  const db = ctx.db.directory
  const isFull = exists(
    query
      .select(one)
      .from(apiKeys)
      .where(and(eq(apiKeys.accountId, accountId), gt(apiKeys.expiresAt, createdAt)))
      .limit(1)
      .offset(MAX_API_KEYS - 1),
  )
  const { created, keys } = await withFreshId(ctx, shardOf(accountId), apiKeys.id, async (id) => {
    const [inserted, rows] = await db.commit([
      db
        .insert(apiKeys)
        .select(rowIf(apiKeys, { id, ...row, createdAt: Math.max(createdAt, timeOf(id)) }, not(isFull)))
        .returning(),
      liveApiKeys(db, accountId),
      record(db, apiKeyCreated, { accountId, apiKeyId: id, ...actor }, changed),
      ...mailIfChanged(db, accountId, 'api-key-created', name),
    ])
    return { created: inserted[0], keys: rows }
  }).catch(refusals(refusedIfEnded))
  if (!created) throw new Failure(tooManyApiKeys)
  await storeApiKeys(ctx, accountId, keys.map(grantOf)).catch((error: unknown) =>
    ctx.log.warn('the key can be used once its event was handled', { error }),
  )
  return { ...viewOf(created, null), key }
}

function nameOf(text: string): string {
  const name = cleanLine('name', text)
  if (name === '') throw invalid('name', 'is empty')
  requireLength('name', name, NAME)
  return name
}

function allowedScopes({ viewer }: UserCtx, wanted: readonly string[]): string[] {
  const allowed = grantableScopes().filter((scope) => viewer.scopes.has(scope))
  if (wanted.some((scope) => !allowed.includes(scope))) {
    throw invalid('scopes', `may contain only: ${allowed.join(', ')}`)
  }
  return [...new Set(wanted)]
}

export async function listApiKeys(ctx: UserCtx): Promise<ApiKeys> {
  const accountId = ctx.viewer.id
  const [rows, uses] = await Promise.all([
    liveApiKeys(atPrimary(ctx).directory, accountId),
    readKeyUses(ctx, accountId).catch((error: unknown): Record<string, number> => {
      ctx.log.warn('the uses of API keys cannot be read', { error })
      return {}
    }),
  ])
  return { items: rows.map((row) => viewOf(row, uses[row.id] ?? null)) }
}

export async function deleteApiKey(ctx: UserCtx, { apiKeyId }: { apiKeyId: Id }): Promise<void> {
  const accountId = ctx.viewer.id
  const actor = await actorOf(ctx)
  const db = ctx.db.directory
  const own = and(eq(apiKeys.id, apiKeyId), eq(apiKeys.accountId, accountId))
  const [deleted] = await db.commit([
    db.delete(apiKeys).where(own).returning({ id: apiKeys.id }),
    record(db, apiKeyDeleted, { accountId, apiKeyId, ...actor }, changed),
    ...mailIfChanged(db, accountId, 'api-key-deleted'),
  ])
  if (deleted.length === 0) throw notFound()
  await revokeApiKey(ctx, accountId, apiKeyId)
}

export async function revokeApiKey(ctx: SystemCtx, accountId: Id, apiKeyId: Id): Promise<void> {
  await revokeSessions(ctx, accountId, [sessionOfKey(apiKeyId)])
}

function viewOf(
  { id, name, scopes, createdAt, expiresAt }: typeof apiKeys.$inferSelect,
  usedAt: number | null,
): ApiKey {
  return {
    id,
    name,
    scopes: scopes.split(' '),
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    lastUsedAt: usedAt === null ? null : new Date(usedAt).toISOString(),
  }
}

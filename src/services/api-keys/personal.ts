import { desc, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, iso, jsonFile, type PersonalData } from '../../platform/personal-data.ts'
import { readKeyUses } from '../../platform/security/api-keys.ts'
import { apiKeys } from './tables.ts'

export const apiKeyData: PersonalData = {
  inventory: classify(apiKeys, {
    id: 'technical',
    accountId: 'owner',
    hash: 'secret',
    name: 'exported',
    scopes: 'exported',
    createdAt: 'exported',
    expiresAt: 'exported',
  }),
  exported,
  erase: eraseApiKeys,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  const own = eq(apiKeys.accountId, accountId)
  const keys = await ctx.db.directory.select().from(apiKeys).where(own).orderBy(desc(apiKeys.id))
  const uses = await readKeyUses(ctx, accountId)
  const described = keys.map(({ id, name, scopes, createdAt, expiresAt }) => ({
    name,
    scopes: scopes.split(' '),
    createdAt: iso(createdAt),
    expiresAt: iso(expiresAt),
    lastUsedAt: iso(uses[id] ?? null),
  }))
  yield jsonFile('api-keys.json', described)
}

async function eraseApiKeys(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  await ctx.db.directory.delete(apiKeys).where(eq(apiKeys.accountId, accountId))
  return true
}

import { z } from '@hono/zod-openapi'
import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { handles } from './tables.ts'

/** A handle as a person types it; capitals are folded, so that no two differ by case alone. */
export const Handle = z
  .string()
  .min(3)
  .max(30)
  .regex(/^[A-Za-z0-9_]+$/, 'takes letters a to z, digits and _')
  .toLowerCase()
  .openapi({ example: 'ada' })

/** What a login is given: a ten-minute access token, and the refresh token that gets the next one, once. */
export const Tokens = z
  .object({
    accessToken: z.string(),
    refreshToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().openapi({ description: 'Seconds until the access token ends' }),
    account: z.object({ id: Id, handle: z.string() }),
  })
  .openapi('Tokens')
export type Tokens = z.infer<typeof Tokens>

const CACHED_SECONDS = 3_600
/** How many keys KV reads in one call. */
const MAX_BULK_READ = 100

/** The accounts that hold these handles, by handle; those that nobody holds, or not yet for sure, are left out. */
export async function accountIdsOf(ctx: SystemCtx, wanted: readonly string[]): Promise<Map<string, Id>> {
  const unique = [...new Set(wanted)]
  const found = await fromCache(ctx, unique)
  const rest = unique.filter((handle) => !found.has(handle))
  for (const { handle, accountId } of await fromDirectory(ctx, rest)) {
    found.set(handle, accountId)
    ctx.defer(() => toCache(ctx, handle, accountId))
  }
  return found
}

/** KV takes one write a second for a key; which of several is taken is all the same. */
async function toCache(ctx: SystemCtx, handle: string, accountId: Id): Promise<void> {
  await ctx.env.CACHE.put(keyOf(handle), accountId, { expirationTtl: CACHED_SECONDS }).catch((error: unknown) =>
    ctx.log.warn('the cache takes nothing', { error }),
  )
}

/** What the cache knows of them: nothing, when it does not answer. */
async function fromCache(ctx: SystemCtx, wanted: string[]): Promise<Map<string, Id>> {
  const asked = wanted.slice(0, MAX_BULK_READ)
  if (asked.length === 0) return new Map()
  ctx.cost.cacheReads += 1
  const cached = await ctx.env.CACHE.get(asked.map(keyOf)).catch((error: unknown) => {
    ctx.log.warn('the cache does not answer', { error })
    return new Map<string, string | null>()
  })
  const ids = asked.map((handle) => Id.safeParse(cached.get(keyOf(handle))))
  return new Map(asked.flatMap((handle, i) => (ids[i]!.success ? [[handle, ids[i]!.data]] : [])))
}

async function fromDirectory(ctx: SystemCtx, wanted: string[]): Promise<{ handle: string; accountId: Id }[]> {
  if (wanted.length === 0) return []
  const [first, ...others] = wanted
  const named =
    others.length === 0
      ? eq(handles.handle, first!)
      : inArray(handles.handle, sql`(select value from json_each(${JSON.stringify(wanted)}))`)
  return ctx.db.directory
    .select({ handle: handles.handle, accountId: handles.accountId })
    .from(handles)
    .where(and(named, isNull(handles.reservedUntil)))
}

function keyOf(handle: string): string {
  return `handle:${handle}`
}

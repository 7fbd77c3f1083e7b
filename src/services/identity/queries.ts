import { and, eq, gt, inArray, isNull, type SQL } from 'drizzle-orm'
import { type SQLiteColumn, unionAll } from 'drizzle-orm/sqlite-core'
import type { Ctx, Role, SystemCtx, Viewer } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { Id } from '../../platform/data/ids.ts'
import { listed } from '../../platform/data/shards.ts'
import { formerHandles, handles, sessions, users } from './tables.ts'

const CACHED_SECONDS = 3_600
/** The most keys that KV reads in one call. */
const MAX_BULK_READ = 100

export async function readRole(ctx: SystemCtx, accountId: Id): Promise<Role> {
  const own = eq(users.id, accountId)
  const [user] = await atPrimary(ctx).directory.select({ role: users.role }).from(users).where(own)
  return user?.role ?? 'user'
}

/** When (epoch ms) the person last entered the credentials of the viewer's login; 0 if the login has ended. */
export async function readLoginTime(ctx: Ctx, { id, sessionId }: Pick<Viewer, 'id' | 'sessionId'>): Promise<number> {
  const [login] = await atPrimary(ctx)
    .directory.select({ createdAt: sessions.createdAt, confirmedAt: sessions.confirmedAt })
    .from(sessions)
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, id)))
  return login ? Math.max(login.createdAt.getTime(), login.confirmedAt ?? 0) : 0
}

/** Which of the logins have not ended, and since when tokens are valid (epoch ms, 0 for always), read at the primary. */
export async function readLogins(
  ctx: SystemCtx,
  accountId: Id,
  ids: readonly string[],
): Promise<{ live: Set<string>; voidBefore: number }> {
  const isLive = and(eq(sessions.userId, accountId), inArray(sessions.id, listed(JSON.stringify(ids))))
  const rows = await atPrimary(ctx)
    .directory.select({ id: sessions.id, before: users.tokensVoidBefore })
    .from(users)
    .leftJoin(sessions, isLive)
    .where(eq(users.id, accountId))
  const [{ before = 0 } = {}] = rows
  return { live: new Set(rows.flatMap(({ id }) => id ?? [])), voidBefore: before > 0 ? before + 1 : 0 }
}

/** The verified address of an account and its blind index. Null without one, and if the key of the account was destroyed. */
export async function readVerifiedAddress(
  ctx: SystemCtx,
  accountId: Id,
): Promise<{ address: string; index: string } | null> {
  const own = and(eq(users.id, accountId), eq(users.emailVerified, true))
  const { sealedAddress: sealed, email: index } = users
  const [user] = await atPrimary(ctx).directory.select({ sealed, index }).from(users).where(own)
  const { openEmail } = await import('./email.ts')
  const address = user && (await openEmail(ctx, accountId, user.sealed))
  return address ? { address, index: user.index } : null
}

/** The accounts that have verified these addresses, and the blind indexes of the addresses. */
export async function verifiedOwnersOf(ctx: SystemCtx, addresses: readonly string[]) {
  const { Address, emailIndex } = await import('./email.ts')
  const valid = addresses.flatMap((address) => Address.safeParse(address).data ?? [])
  const indexes = await Promise.all([...new Set(valid)].map((address) => emailIndex(ctx, address)))
  if (indexes.length === 0) return []
  const { id: accountId, email: index } = users
  return atPrimary(ctx)
    .directory.select({ accountId, index })
    .from(users)
    .where(and(inArray(index, listed(JSON.stringify(indexes))), eq(users.emailVerified, true)))
}

/** Omits handles that are free or only reserved. A handle that an account gave up resolves to it. */
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

/** Only logs a failure, because losing a write is harmless. KV accepts one write per second and key. */
export async function toCache(ctx: SystemCtx, handle: string, accountId: Id): Promise<void> {
  await ctx.env.CACHE.put(keyOf(handle), accountId, { expirationTtl: CACHED_SECONDS }).catch((error: unknown) =>
    ctx.log.warn('the cache cannot be written', { error }),
  )
}

export async function forgetHandle(ctx: SystemCtx, handle: string): Promise<void> {
  await ctx.env.CACHE.delete(keyOf(handle))
}

/** Former handles stop resolving early, so that no cached entry forwards one that another account has registered since. */
export function outlivesCache(ctx: SystemCtx): SQL {
  return gt(formerHandles.until, ctx.now() + CACHED_SECONDS * 1_000)
}

async function fromCache(ctx: SystemCtx, wanted: string[]): Promise<Map<string, Id>> {
  const requested = wanted.slice(0, MAX_BULK_READ)
  if (requested.length === 0) return new Map()
  const cached = await ctx.env.CACHE.get(requested.map(keyOf)).catch((error: unknown) => {
    ctx.log.warn('the cache cannot be read', { error })
    return new Map<string, string | null>()
  })
  return new Map(
    requested.flatMap((handle): [string, Id][] => {
      const id = Id.safeParse(cached.get(keyOf(handle))).data
      return id ? [[handle, id]] : []
    }),
  )
}

async function fromDirectory(ctx: SystemCtx, wanted: string[]): Promise<{ handle: string; accountId: Id }[]> {
  if (wanted.length === 0) return []
  const [first = '', ...others] = wanted
  const isWanted = (column: SQLiteColumn) =>
    others.length === 0 ? eq(column, first) : inArray(column, listed(JSON.stringify(wanted)))
  const db = ctx.db.directory
  const former = db
    .select({ handle: formerHandles.handle, accountId: users.id })
    .from(formerHandles)
    .innerJoin(users, eq(users.id, formerHandles.accountId))
    .where(and(isWanted(formerHandles.handle), outlivesCache(ctx)))
  const current = db
    .select({ handle: handles.handle, accountId: handles.accountId })
    .from(handles)
    .where(and(isWanted(handles.handle), isNull(handles.reservedUntil)))
  return unionAll(former, current)
}

function keyOf(handle: string): string {
  return `handle:${handle}`
}

import { and, eq, exists, gt, inArray, isNull, ne, or, type SQL, type SQLWrapper } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { emailIndex } from './email.ts'
import { credentials, formerHandles, handles, users } from './tables.ts'

/** What the directory stores of a typed handle or address: the handle, or the blind index of the address. */
export function nameOf(ctx: SystemCtx, identifier: string): Promise<string> | string {
  return identifier.includes('@') ? emailIndex(ctx, identifier) : identifier
}

/** For queries of `users`: the account with this name, which may be a handle that it gave up. */
export function isNamed(ctx: SystemCtx, name: string): SQL {
  if (name.includes('@')) return eq(users.email, name)
  const current = query.select({ id: handles.accountId }).from(handles).where(eq(handles.handle, name))
  const former = query
    .select({ id: users.id })
    .from(formerHandles)
    .innerJoin(users, eq(users.id, formerHandles.accountId))
    .where(and(eq(formerHandles.handle, name), gt(formerHandles.until, ctx.now())))
  return inArray(users.id, unionAll(current, former))
}

/** Whether somebody else gave up the handle and may still take it back. */
export function isKept(db: Database, handle: string, accountId?: Id): SQL {
  const { handle: name, accountId: owner, until } = formerHandles
  const isOther = accountId === undefined ? undefined : or(isNull(owner), ne(owner, accountId))
  const kept = and(eq(name, handle), gt(until, db.now()), isOther)
  return exists(query.select(one).from(formerHandles).where(kept))
}

/** For queries of `credentials`. */
export function isPasswordOf(accountId: Id | SQLWrapper): SQL | undefined {
  return and(eq(credentials.userId, accountId), eq(credentials.providerId, 'credential'))
}

import { and, eq, exists, inArray, isNull, ne, not, notExists, type SQL } from 'drizzle-orm'
import type { Role, SystemCtx, UserCtx } from '../../platform/context.ts'
import { any, changed, failUnless, one, query } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { Failure } from '../../platform/failures.ts'
import { readSuspension } from '../accounts/queries.ts'
import { deleteApiKeys } from '../api-keys/statements.ts'
import { deletions } from '../privacy/tables.ts'
import type { MailKind } from './mail-templates.ts'
import { queueMail } from './mails.ts'
import { addressChanges, sessions, users } from './tables.ts'

/** Mails the person if the statement before changed a row. */
export function mailIfChanged(db: Database, accountId: Id, kind: MailKind, detail?: string) {
  return queueMail(db, { accountId, kind, ...(detail !== undefined && { detail }) }, changed)
}

type Ended = {
  /** Epoch ms; now by default. */
  at?: number
  /** Whether to end them, for each of the statements. */
  when?: SQL
  /** The login that goes on. */
  kept?: string
  /** Also revokes the device tokens, for when a stranger may have one. */
  devices?: boolean
  /** Further changes of the row of the user. */
  changes?: { passwordChangedAt?: number; hasShortPassword: boolean }
}

/** Ends the logins, the API keys if no login goes on, and a change of the address that is not confirmed. The caller revokes the tokens. */
export function endLogins(db: Database, accountId: Id, { at = db.now(), when, kept, devices, changes }: Ended = {}) {
  const endsKeys = kept === undefined
  const isOther = endsKeys ? undefined : ne(sessions.id, kept)
  return [
    db
      .update(users)
      .set({
        tokensVoidBefore: at,
        ...(devices && { devicesVoidBefore: at }),
        ...(endsKeys && { keysVoidBefore: at }),
        ...changes,
      })
      .where(and(eq(users.id, accountId), when)),
    db.delete(addressChanges).where(and(eq(addressChanges.accountId, accountId), when)),
    db.delete(sessions).where(and(eq(sessions.userId, accountId), isOther, when)),
    ...(endsKeys ? [deleteApiKeys(db, accountId, at, when)] : []),
  ] as const
}

export const mayLogIn = and(eq(users.emailVerified, true), isNull(users.approval))

/** Whether somebody is an administrator who can log in and is not leaving. Use it in queries of the directory. */
export function isActiveAdmin(which: SQL): SQL {
  const leaving = query.select(one).from(deletions).where(eq(deletions.accountId, users.id))
  const admin = and(which, eq(users.role, 'admin'), mayLogIn, eq(users.suspended, false), notExists(leaving))
  return exists(query.select(one).from(users).where(admin))
}

/** False for the last administrator. */
export function mayLeave(accountId: Id): SQL {
  return any(not(isActiveAdmin(eq(users.id, accountId))), isActiveAdmin(ne(users.id, accountId)))
}

/** Fails a batch that only administrators may commit, also while a token of somebody who was demoted still works. */
export function whileAdmin(db: Database, { viewer }: UserCtx) {
  return failUnless(db, isActiveAdmin(eq(users.id, viewer.id)), 'not_admin')
}
export const adminRefusals = { not_admin: () => new Failure('forbidden') }

/** Marks a user with one of the roles as suspended, before its shard is. From then on, it cannot become admin. */
export function markSuspended(db: Database, accountId: Id, roles: readonly Role[]) {
  const own = and(eq(users.id, accountId), inArray(users.role, [...roles]))
  return db.update(users).set({ suspended: true }).where(own)
}

/** Copies the suspension of the shard to the directory. */
export async function copySuspension(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await mirror(
    async () => (await readSuspension(ctx, accountId)) !== null,
    (suspended) => ctx.db.directory.update(users).set({ suspended }).where(eq(users.id, accountId)),
  )
}

import { and, desc, eq, exists, gt, inArray, isNull, lt, ne, not, notExists, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Role, SystemCtx, UserCtx } from '../../platform/context.ts'
import { any, changed, either, failUnless, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { listed } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { Failure } from '../../platform/failures.ts'
import { unauthorized } from '../../platform/security/tokens.ts'
import { readSuspension } from '../accounts/queries.ts'
import { deleteApiKeys } from '../api-keys/statements.ts'
import { apiKeys } from '../api-keys/tables.ts'
import { deleteGrants } from '../apps/statements.ts'
import { deletions } from '../privacy/tables.ts'
import type { MailKind } from './mail-templates.ts'
import { notQueued, queueMail } from './mails.ts'
import { oauthClients } from './oauth-tables.ts'
import { expiryOf } from './session-rows.ts'
import { addressChanges, sessions, users } from './tables.ts'

/** Mails the person if the statement before changed a row. */
export function mailIfChanged(db: Database, accountId: Id, kind: MailKind, detail?: string) {
  return queueMail(db, { accountId, kind, ...(detail !== undefined && { detail }) }, changed)
}

/** The code of `refusals` for a write whose login has ended meanwhile. */
export const ENDED = 'ended'
export const refusedIfEnded = { [ENDED]: unauthorized }

/** Whether the login of the viewer still exists. */
export function loginLasts({ viewer }: UserCtx): SQL {
  return exists(query.select(one).from(sessions).where(eq(sessions.id, viewer.sessionId)))
}

/** Whether the API keys that the account creates at this time (epoch ms) are valid. */
export function acceptsKeys(accountId: Id, at: number): SQL {
  return exists(
    query
      .select(one)
      .from(users)
      .where(and(eq(users.id, accountId), lt(users.keysVoidBefore, at))),
  )
}

/** For a time that only grows, such as `keysVoidBefore`. */
export const atLeast = (column: SQLiteColumn, time: number) => either(lt(column, time), time, column)

/** The time `at` (epoch ms), or that of the newest API key: a batch that ends all keys may commit after it was stored. */
export function notBeforeKeys(accountId: Id, at: number): SQL<number> {
  const later = and(eq(apiKeys.accountId, accountId), gt(apiKeys.createdAt, at))
  const newest = query.select({ at: apiKeys.createdAt }).from(apiKeys).where(later)
  const last = newest.orderBy(desc(apiKeys.createdAt)).limit(1)
  return either<number>(exists(query.select(one).from(apiKeys).where(later)), last, at)
}

/** Mails the person that an app was allowed. */
export function mailAppAllowed(db: Database, accountId: Id, appName: string, when: SQL) {
  return queueMail(db, { accountId, kind: 'app-allowed', detail: appName }, when)
}

/** Mails the person that a webhook was paused, because it only failed or answered that it is gone. */
export function mailWebhookStopped(db: Database, { eventId, accountId, host, reason }: StoppedWebhook) {
  const id = `webhook-${eventId}`
  return queueMail(db, { id, accountId, kind: `webhook-${reason}`, detail: host }, notQueued(id))
}
type StoppedWebhook = { eventId: Id; accountId: Id; host: string; reason: 'failing' | 'gone' }

/** Makes an app known to the token issuer, if the condition holds. */
export function addClient(db: Database, { id, name }: { id: Id; name: string }, when: SQL) {
  const at = new Date(db.now())
  const grantTypes = JSON.stringify(['authorization_code', 'refresh_token'])
  const row = { id, clientId: id, name, redirectUris: '[]', grantTypes, disabled: false, createdAt: at, updatedAt: at }
  return db.insert(oauthClients).select(rowIf(oauthClients, row, when))
}

export function removeClient(db: Database, id: Id, when?: SQL) {
  return db.delete(oauthClients).where(and(eq(oauthClients.clientId, id), when))
}

/** How many logins an app may have with one account: its installations. */
const MAX_LOGINS_OF_APP = 20

type AppLogin = { id: string; accountId: Id; appId: Id; scopes: string[]; authTime: number }

/** Opens the login of an app, if the condition holds. The second statement ends the ones that were unused for longest, and returns their ids. */
export function openAppLogin(db: Database, { id, accountId, appId, scopes, authTime }: AppLogin, when: SQL) {
  const now = db.now()
  const at = new Date(now)
  const excess = query
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.userId, accountId), eq(sessions.appId, appId), ne(sessions.id, id)))
    .orderBy(desc(sessions.updatedAt))
    .limit(1)
    .offset(MAX_LOGINS_OF_APP - 1)
  const times = { createdAt: at, updatedAt: at, expiresAt: expiryOf(now, now), confirmedAt: authTime }
  return [
    db.insert(sessions).select(rowIf(sessions, { id, userId: accountId, token: id, appId, scopes, ...times }, when)),
    db.delete(sessions).where(inArray(sessions.id, excess)).returning({ id: sessions.id }),
  ] as const
}

/** Ends the logins of an app with an account, and returns their ids. The caller revokes the tokens. */
export function endAppLogins(db: Database, appId: Id, accountId: Id) {
  const own = and(eq(sessions.appId, appId), eq(sessions.userId, accountId))
  return db.delete(sessions).where(own).returning({ id: sessions.id })
}

/** Ends these logins. The caller has revoked the tokens. */
export function deleteLogins(db: Database, ids: readonly string[]) {
  return db.delete(sessions).where(inArray(sessions.id, listed(JSON.stringify(ids))))
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

/** Ends the logins, what apps were allowed, the API keys if no login goes on, and a change of the address that is not confirmed. The caller revokes the tokens. */
export function endLogins(db: Database, accountId: Id, { at = db.now(), when, kept, devices, changes }: Ended = {}) {
  const endsKeys = kept === undefined
  const isOther = endsKeys ? undefined : ne(sessions.id, kept)
  return [
    db
      .update(users)
      .set({
        tokensVoidBefore: at,
        ...(devices && { devicesVoidBefore: at }),
        ...(endsKeys && { keysVoidBefore: notBeforeKeys(accountId, at) }),
        ...changes,
      })
      .where(and(eq(users.id, accountId), when)),
    db.delete(addressChanges).where(and(eq(addressChanges.accountId, accountId), when)),
    db.delete(sessions).where(and(eq(sessions.userId, accountId), isOther, when)),
    deleteGrants(db, accountId, at, when),
    ...(endsKeys ? [deleteApiKeys(db, accountId, { when })] : []),
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

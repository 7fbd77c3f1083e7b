import { and, eq, ne, type SQL } from 'drizzle-orm'
import { changed } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { deleteApiKeys } from '../api-keys/statements.ts'
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

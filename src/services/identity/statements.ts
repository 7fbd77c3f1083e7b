import { eq, type SQL } from 'drizzle-orm'
import { changed } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { MailKind } from './mail-templates.ts'
import { queueMail } from './mails.ts'
import { addressChanges, sessions, users } from './tables.ts'

/** Mails the person if the statement before changed a row. */
export function mailIfChanged(db: Database, accountId: Id, kind: MailKind) {
  return queueMail(db, { accountId, kind }, changed)
}

/** Deletes all sessions. Mails if `when` holds after the statement before this one. The caller revokes the tokens. */
export function endLoginsAndMail(db: Database, accountId: Id, { mail, when }: { mail: MailKind; when: SQL }) {
  return [
    ...queueMail(db, { accountId, kind: mail }, when),
    db.update(users).set({ tokensVoidBefore: db.now() }).where(eq(users.id, accountId)),
    db.delete(addressChanges).where(eq(addressChanges.accountId, accountId)),
    db.delete(sessions).where(eq(sessions.userId, accountId)),
  ] as const
}

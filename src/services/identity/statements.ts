import { changed } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { MailKind } from './mail-templates.ts'
import { queueMail } from './mails.ts'

/** Mails the person if the statement before changed a row. */
export function mailIfChanged(db: Database, accountId: Id, kind: MailKind) {
  return queueMail(db, { accountId, kind }, changed)
}

import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'

export type Mail = { accountId: Id; handle: string; kind: string; detail: string | null }
/** A paragraph that begins with `http` becomes a link. */
type MailText = { subject: string; paragraphs: string[] }
/** Null if the mail has become pointless since it was queued. */
export type Template = (ctx: SystemCtx, mail: Mail) => MailText | null | Promise<MailText | null>

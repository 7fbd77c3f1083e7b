import type { mailLink } from '../state/mail-link.ts'
import { ConfirmAddress, UndoAddress, UndoFactor } from './address-links.tsx'
import { ResetPassword } from './reset-password.tsx'
import { Unsubscribe } from './unsubscribe.tsx'
import { Verify } from './verify.tsx'

/** The view for a link from an email. */
export function MailLink({ link: { kind, token } }: { link: NonNullable<typeof mailLink> }) {
  if (kind === 'verify') return <Verify token={token} />
  if (kind === 'reset') return <ResetPassword token={token} />
  if (kind === 'unsubscribe') return <Unsubscribe token={token} />
  if (kind === 'factor') return <UndoFactor token={token} />
  return kind === 'address' ? <ConfirmAddress token={token} /> : <UndoAddress token={token} />
}

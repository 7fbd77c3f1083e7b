import type { EventDefinition } from '../../platform/events/events.ts'
import { accountSuspended, suspensionLifted } from '../accounts/events.ts'
import {
  addressChanged,
  addressChangeRequested,
  addressChangeUndone,
  addressVerified,
  allSessionsEnded,
  handleChanged,
  invitationCreated,
  loggedIn,
  loginFailed,
  otherSessionsEnded,
  passwordChanged,
  passwordReset,
  passwordResetRequested,
  refreshTokenReused,
  registered,
  registrationApproved,
  registrationRejected,
  roleChanged,
  sessionEnded,
} from '../identity/events.ts'
import {
  accountErased,
  deletionCancelled,
  deletionRequested,
  exportDownloaded,
  exportReady,
  exportRequested,
} from '../privacy/events.ts'
import { type Act, auditRead } from './events.ts'

type AuditedEvent = { event: EventDefinition<Act>; action: string; byOwner: boolean }

/** The actor is the `actorId` of the event, if it has one. */
const audited = (event: EventDefinition<Act>, action: string): AuditedEvent => ({ event, action, byOwner: false })
/** The actor is always the account itself. */
const byOwner = (event: EventDefinition<Act>, action: string): AuditedEvent => ({ event, action, byOwner: true })

/** Every event that the audit log shows, with its action. docs/audit.md explains the actions; a test compares them. */
export const auditedEvents = [
  byOwner(registered, 'registered'),
  byOwner(addressVerified, 'address-verified'),
  byOwner(loggedIn, 'logged-in'),
  audited(loginFailed, 'login-failed'),
  audited(refreshTokenReused, 'refresh-token-reused'),
  byOwner(otherSessionsEnded, 'other-sessions-ended'),
  byOwner(invitationCreated, 'invitation-created'),
  audited(registrationApproved, 'registration-approved'),
  audited(registrationRejected, 'registration-rejected'),
  audited(sessionEnded, 'session-ended'),
  audited(allSessionsEnded, 'all-sessions-ended'),
  audited(passwordResetRequested, 'password-reset-requested'),
  audited(passwordReset, 'password-reset'),
  byOwner(passwordChanged, 'password-changed'),
  byOwner(addressChangeRequested, 'address-change-requested'),
  audited(addressChanged, 'address-changed'),
  audited(addressChangeUndone, 'address-change-undone'),
  byOwner(handleChanged, 'handle-changed'),
  audited(roleChanged, 'role-changed'),
  audited(accountSuspended, 'account-suspended'),
  audited(suspensionLifted, 'suspension-lifted'),
  byOwner(exportRequested, 'export-requested'),
  audited(exportReady, 'export-ready'),
  byOwner(exportDownloaded, 'export-downloaded'),
  byOwner(deletionRequested, 'deletion-requested'),
  byOwner(deletionCancelled, 'deletion-cancelled'),
  audited(accountErased, 'account-erased'),
  audited(auditRead, 'audit-read'),
]

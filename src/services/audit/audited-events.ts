import type { EventDefinition } from '../../platform/events/events.ts'
import { attributesGiven, grantGiven, grantRevoked, roleDefined, roleDeleted, rolesGiven } from '../access/events.ts'
import { accountSuspended, suspensionLifted } from '../accounts/events.ts'
import { apiKeyCreated, apiKeyDeleted } from '../api-keys/events.ts'
import {
  appAllowed,
  appChanged,
  appDeleted,
  appDisabled,
  appEnabled,
  appLoggedIn,
  appRegistered,
  appRemoved,
  appSecretRenewed,
} from '../apps/events.ts'
import {
  addressChanged,
  addressChangeRequested,
  addressChangeUndone,
  addressVerified,
  allSessionsEnded,
  factorAdded,
  factorRemoved,
  factorUndone,
  handleChanged,
  invitationCreated,
  loggedIn,
  loginConfirmed,
  loginFailed,
  loginRefused,
  otherSessionsEnded,
  passkeyRefused,
  passwordChanged,
  passwordReset,
  passwordResetRequested,
  providerLinked,
  providerUnlinked,
  recoveryCodesReplaced,
  recoveryCodeUsed,
  refreshTokenReused,
  registered,
  registrationApproved,
  registrationRejected,
  roleChanged,
  sessionEnded,
} from '../identity/events.ts'
import { postEditedByOther } from '../posts/events.ts'
import {
  accountErased,
  deletionCancelled,
  deletionRequested,
  exportDownloaded,
  exportReady,
  exportRequested,
} from '../privacy/events.ts'
import { trendHidden, trendShown } from '../search/events.ts'
import {
  webhookChanged,
  webhookCreated,
  webhookDeleted,
  webhookPaused,
  webhookResumed,
  webhookSecretRenewed,
  webhookStopped,
} from '../webhooks/events.ts'
import { type Act, auditRead } from './events.ts'

/** `details`: the fields of the data that the entry shows. They are short, and nothing personal. */
type AuditedEvent = { event: EventDefinition<Act>; action: string; byOwner: boolean; details: readonly string[] }
type Audited = <T extends Act>(
  event: EventDefinition<T>,
  action: string,
  ...details: Exclude<keyof T & string, keyof Act>[]
) => AuditedEvent

/** The actor is the `actorId` of the event if it has one; with `byOwner`, it is always the account itself. */
const audited: Audited = (event, action, ...details) => ({ event, action, byOwner: false, details })
const byOwner: Audited = (event, action, ...details) => ({ event, action, byOwner: true, details })

/** Every event that the audit log shows, with its action. docs/audit.md explains the actions; a test compares them. */
export const auditedEvents = [
  byOwner(registered, 'registered'),
  byOwner(addressVerified, 'address-verified'),
  byOwner(loggedIn, 'logged-in', 'sessionId'),
  audited(loginFailed, 'login-failed', 'step'),
  byOwner(loginRefused, 'login-refused', 'reason'),
  byOwner(loginConfirmed, 'login-confirmed', 'sessionId'),
  audited(refreshTokenReused, 'refresh-token-reused', 'sessionId'),
  byOwner(otherSessionsEnded, 'other-sessions-ended', 'sessionIds'),
  byOwner(invitationCreated, 'invitation-created', 'invitationId'),
  byOwner(apiKeyCreated, 'api-key-created', 'apiKeyId'),
  byOwner(apiKeyDeleted, 'api-key-deleted', 'apiKeyId'),
  audited(registrationApproved, 'registration-approved'),
  audited(registrationRejected, 'registration-rejected'),
  audited(sessionEnded, 'session-ended', 'sessionId', 'reason'),
  audited(allSessionsEnded, 'all-sessions-ended'),
  audited(passwordResetRequested, 'password-reset-requested'),
  audited(passwordReset, 'password-reset'),
  byOwner(passwordChanged, 'password-changed'),
  byOwner(addressChangeRequested, 'address-change-requested'),
  audited(addressChanged, 'address-changed'),
  audited(addressChangeUndone, 'address-change-undone'),
  byOwner(handleChanged, 'handle-changed'),
  byOwner(providerLinked, 'provider-linked', 'provider'),
  byOwner(providerUnlinked, 'provider-unlinked', 'provider'),
  byOwner(factorAdded, 'factor-added', 'factor'),
  byOwner(factorRemoved, 'factor-removed', 'factor'),
  audited(factorUndone, 'factor-undone', 'factor'),
  byOwner(recoveryCodesReplaced, 'recovery-codes-replaced'),
  byOwner(recoveryCodeUsed, 'recovery-code-used'),
  audited(passkeyRefused, 'passkey-refused', 'passkeyId'),
  audited(roleChanged, 'role-changed', 'role'),
  audited(roleDefined, 'role-defined', 'role', 'permissions'),
  audited(roleDeleted, 'role-deleted', 'role'),
  audited(rolesGiven, 'roles-given', 'roles'),
  audited(attributesGiven, 'attributes-given', 'attributes'),
  audited(grantGiven, 'grant-given', 'granted', 'thing', 'until'),
  audited(grantRevoked, 'grant-revoked', 'granted', 'thing'),
  audited(postEditedByOther, 'post-edited', 'postId', 'by'),
  byOwner(trendHidden, 'trend-hidden', 'kind', 'about'),
  byOwner(trendShown, 'trend-shown', 'kind', 'about'),
  audited(accountSuspended, 'account-suspended'),
  audited(suspensionLifted, 'suspension-lifted'),
  byOwner(exportRequested, 'export-requested', 'exportId'),
  audited(exportReady, 'export-ready', 'exportId'),
  byOwner(exportDownloaded, 'export-downloaded', 'exportId'),
  byOwner(deletionRequested, 'deletion-requested'),
  byOwner(deletionCancelled, 'deletion-cancelled'),
  audited(accountErased, 'account-erased'),
  byOwner(appRegistered, 'app-registered', 'appId'),
  byOwner(appChanged, 'app-changed', 'appId'),
  byOwner(appSecretRenewed, 'app-secret-renewed', 'appId'),
  byOwner(appDeleted, 'app-deleted', 'appId'),
  byOwner(appAllowed, 'app-allowed', 'appId'),
  byOwner(appLoggedIn, 'app-logged-in', 'appId'),
  audited(appDisabled, 'app-disabled', 'appId'),
  audited(appEnabled, 'app-enabled', 'appId'),
  byOwner(appRemoved, 'app-removed', 'appId'),
  byOwner(webhookCreated, 'webhook-created', 'webhookId'),
  byOwner(webhookChanged, 'webhook-changed', 'webhookId'),
  byOwner(webhookDeleted, 'webhook-deleted', 'webhookId'),
  byOwner(webhookSecretRenewed, 'webhook-secret-renewed', 'webhookId'),
  byOwner(webhookPaused, 'webhook-paused', 'webhookId'),
  byOwner(webhookResumed, 'webhook-resumed', 'webhookId'),
  audited(webhookStopped, 'webhook-stopped', 'webhookId', 'reason'),
  audited(auditRead, 'audit-read', 'readActorId', 'readAction'),
]

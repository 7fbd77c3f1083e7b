const labels: Record<string, string> = {
  'account-suspended': 'Suspended by a moderator',
  'address-verified': 'Email address confirmed',
  'all-sessions-ended': 'Logged out everywhere',
  'api-key-created': 'API key created',
  'api-key-deleted': 'API key deleted',
  'attributes-given': 'Attributes set by an administrator',
  'audit-read': 'History read by an administrator',
  'factor-added': 'Second factor added',
  'factor-removed': 'Second factor removed',
  'grant-given': 'Permission given by an administrator',
  'grant-revoked': 'Permission revoked by an administrator',
  'login-confirmed': 'Login confirmed',
  'login-failed': 'Wrong password or code entered',
  'login-refused': 'Login refused',
  'password-reset': 'Password reset by email',
  'password-reset-requested': 'Link to reset the password requested',
  'post-edited': 'Post edited by somebody else',
  'trend-hidden': 'Entry taken out of what is trending',
  'trend-shown': 'Entry put back into what is trending',
  'registration-approved': 'Registration approved by a moderator',
  'role-changed': 'Role changed by an administrator',
  'roles-given': 'Roles set by an administrator',
  'session-ended': 'Logged out',
  'suspension-lifted': 'Suspension ended by a moderator',
}

/** What an entry of the history says. Without words of its own, an action `logged-in` reads “Logged in”. */
export function actionLabel(action: string): string {
  const words = action.replaceAll('-', ' ')
  return labels[action] ?? words.charAt(0).toUpperCase() + words.slice(1)
}

const labels: Record<string, string> = {
  'account-suspended': 'Suspended by a moderator',
  'address-verified': 'Email address confirmed',
  'all-sessions-ended': 'Logged out everywhere',
  'api-key-created': 'API key created',
  'api-key-deleted': 'API key deleted',
  'audit-read': 'History read by an administrator',
  'login-confirmed': 'Password entered again',
  'login-failed': 'Wrong password entered',
  'login-refused': 'Login refused',
  'password-reset': 'Password reset by email',
  'password-reset-requested': 'Link to reset the password requested',
  'registration-approved': 'Registration approved by a moderator',
  'role-changed': 'Role changed by an administrator',
  'session-ended': 'Logged out',
  'suspension-lifted': 'Suspension ended by a moderator',
}

/** What an entry of the history says. Without words of its own, an action `logged-in` reads “Logged in”. */
export function actionLabel(action: string): string {
  const words = action.replaceAll('-', ' ')
  return labels[action] ?? words.charAt(0).toUpperCase() + words.slice(1)
}

const labels: Record<string, string> = {
  registered: 'Registered',
  'address-verified': 'Email address confirmed',
  'logged-in': 'Logged in',
  'login-failed': 'Wrong password',
  'session-ended': 'Logged out',
  'all-sessions-ended': 'Logged out everywhere',
  'role-changed': 'Role changed',
}

/** What happened, in words. An action without words of its own is shown by its name: `data-exported` as “Data exported”. */
export function actionLabel(action: string): string {
  const words = action.replaceAll(/[-_.]/g, ' ')
  return labels[action] ?? words.charAt(0).toUpperCase() + words.slice(1)
}

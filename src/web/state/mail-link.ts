const KINDS = ['verify', 'reset', 'address', 'undo', 'factor', 'unsubscribe'] as const

type MailLink = { kind: (typeof KINDS)[number]; token: string }

/** The link from an email with which the page was opened, such as `/?reset=TOKEN`. */
export const mailLink = readMailLink()

// The token is removed from the address at once, so that it is in no history and on no screenshot.
if (mailLink) history.replaceState(null, '', '/')

function readMailLink(): MailLink | null {
  const query = new URLSearchParams(window.location.search)
  for (const kind of KINDS) {
    const token = query.get(kind)
    if (token) return { kind, token }
  }
  return null
}

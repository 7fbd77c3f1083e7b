const isJoining = window.location.pathname === '/join'

/** The secret of the link with which the page was opened, such as `/join#CODE`. A server never sees what follows the `#`. */
export const groupCode = isJoining ? window.location.hash.slice(1) || null : null

// It is removed from the address at once, so that it is in no history and on no screenshot.
if (groupCode) history.replaceState(null, '', '/join')

import { createClient, type TokenStore } from '../../client/client.ts'
import { askForPassword } from './fresh-login.ts'
import { showLogin, showLogout } from './session.ts'
import { loadToken, saveToken } from './token-store.ts'

const otherTabs = new BroadcastChannel('socialconnect.session')

// The refresh token is stored (token-store.ts), so a script that is injected into this origin could read it. But the
// CSP blocks such scripts, a token works once, and reuse after 30 s ends the session. The access token is not stored.
const store: TokenStore = {
  load: () => loadToken('refresh'),
  save: async (token) => {
    await saveToken('refresh', token)
    if (token === undefined) otherTabs.postMessage('ended')
  },
}

/** The client of this page. It waits for no more than a few seconds, because a person waits too. */
export const client = createClient({
  origin: window.location.origin,
  store,
  retries: 2,
  maxRetryAfter: 2,
  onTokens: showLogin,
  onSessionEnd: (error) => showLogout(error ? 'Your session has expired. Please log in again.' : ''),
  onFreshLoginRequired: askForPassword,
})

otherTabs.onmessage = () => void client.session.forget()

/** Resumes the stored session, if there is one. */
export async function resumeSession(): Promise<void> {
  if (!(await client.session.resume())) showLogout('')
}

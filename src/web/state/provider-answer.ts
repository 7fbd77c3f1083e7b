const PATH = '/login/callback'

export type ProviderAnswer = { code: string; state: string; iss?: string; error: string }

/** What an identity provider has sent back to this page. */
export const providerAnswer = readAnswer()

// The code is removed from the address at once, so that it is in no history and on no screenshot.
if (providerAnswer) history.replaceState(null, '', PATH)

function readAnswer(): ProviderAnswer | null {
  if (window.location.pathname !== PATH) return null
  const query = new URLSearchParams(window.location.search)
  const [code = '', state = '', error = ''] = ['code', 'state', 'error'].map((name) => query.get(name) ?? '')
  return code || error ? { code, state, iss: query.get('iss') ?? undefined, error } : null
}

import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { PASSWORD } from './actions.ts'
import { type Site, verificationLink } from './site.ts'

/** Calls the API as an account. Throws unless the response is a success. */
export type Caller = <T>(method: string, path: string, json?: unknown) => Promise<T | null>

/** Registers and verifies an account over the API, which takes less time than in the browser. */
export async function newCaller(site: Site, handle: string): Promise<Caller> {
  const anonymous = callerWith(site, null)
  const json = { handle, email: `${handle}@example.com`, password: PASSWORD }
  const registered = await anonymous<{ registrationToken: string }>('POST', '/auth/register', json)
  const token = new URL(await verificationLink(site, json.email)).searchParams.get('verify')
  const proof = { token, registrationToken: registered!.registrationToken }
  const tokens = await anonymous<{ accessToken: string }>('POST', '/auth/verify', proof)
  return callerWith(site, tokens!.accessToken)
}

/** Logs in over the API as an account that exists. */
export async function loggedInCaller(site: Site, identifier: string, password = PASSWORD): Promise<Caller> {
  const tokens = await callerWith(site, null)<{ accessToken: string }>('POST', '/auth/login', {
    identifier,
    password,
  })
  return callerWith(site, tokens!.accessToken)
}

function callerWith({ origin }: Site, accessToken: string | null): Caller {
  return async (method, path, json) => {
    const headers = {
      ...(accessToken === null ? {} : { authorization: `Bearer ${accessToken}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const body = json === undefined ? undefined : JSON.stringify(json)
    const response = await fetchInTime(`${origin}/v1${path}`, { method, headers, body })
    if (!response.ok) throw new Error(`${method} ${path} responded with ${response.status}: ${await response.text()}`)
    return response.status === 204 ? null : response.json()
  }
}

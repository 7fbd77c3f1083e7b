import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'
import { mailedToken, PASSWORD } from './actors.ts'
import { fetchWith, randomAddress } from './client.ts'

type Mode = 'open' | 'invitation' | 'approval' | 'closed'
type Call = { json?: object; token?: string }

/** Calls the Worker as it is configured for a mode of registration. */
export function inMode(REGISTRATION: Mode, more: object = {}) {
  const bindings = { ...env, REGISTRATION, ...more }
  const call = (method: string, path: string, { json, token }: Call = {}) => {
    const headers = new Headers({ 'cf-connecting-ip': randomAddress(), 'content-type': 'application/json' })
    if (token) headers.set('authorization', `Bearer ${token}`)
    return fetchWith(bindings, path, { method, headers, body: json && JSON.stringify(json) })
  }
  const register = (handle: string, more: object = {}) =>
    call('POST', '/v1/auth/register', {
      json: { handle, email: `${handle}@example.com`, password: PASSWORD, ...more },
    })
  const verify = async (handle: string) =>
    call('POST', '/v1/auth/verify', { json: { token: await mailedToken(handle), password: PASSWORD } })
  const logIn = (identifier: string) => call('POST', '/v1/auth/login', { json: { identifier, password: PASSWORD } })
  return { call, register, verify, logIn }
}

export async function accountIdOf(handle: string): Promise<Id> {
  const row = await env.DIRECTORY.prepare('select account_id from handles where handle = ?')
    .bind(handle)
    .first<{ account_id: number }>()
  return String(row!.account_id) as Id
}

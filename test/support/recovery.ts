import { env } from 'cloudflare:workers'
import { createContext } from '../../src/platform/create-context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { resetToken } from '../../src/services/identity/password-reset-tokens.ts'
import { anonymousClient, postJson } from './client.ts'

export const NEW_PASSWORD = '8-yr!6-wj?3-uv+1'

export const forgot = (identifier: string, by = anonymousClient()): Promise<Response> =>
  postJson('/v1/auth/password/forgot', { identifier }, by)

export const resend = (email: string, by = anonymousClient()): Promise<Response> =>
  postJson('/v1/auth/verify/resend', { email }, by)

export const resetWith = (token: string, password = NEW_PASSWORD): Promise<Response> =>
  postJson('/v1/auth/password/reset', { token, password })

/** The token that a reset email sent now would contain. */
export async function mailedResetToken(id: Id): Promise<string> {
  return (await resetToken(createContext({ env, waitUntil: () => {} }), id))!
}

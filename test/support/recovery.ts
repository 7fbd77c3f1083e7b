import { env } from 'cloudflare:workers'
import { createContext } from '../../src/platform/create-context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { readPendingAddress, undoToken } from '../../src/services/identity/address-tokens.ts'
import { emailIndex } from '../../src/services/identity/email.ts'
import { undoFactorToken } from '../../src/services/identity/factors/factor-undo-tokens.ts'
import { resetToken } from '../../src/services/identity/password-reset-tokens.ts'
import { PASSWORD, type RegisteredUser } from './actors.ts'
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
  return (await resetToken(context(), id))!
}

const context = () => createContext({ env, waitUntil: () => {}, start: 'first-primary' })

export const changeAddress = (user: RegisteredUser, email: string): Promise<Response> =>
  user.fetch('/v1/me/address', { method: 'PUT', json: { email } })

export const confirmAddress = (token: string): Promise<Response> => postJson('/v1/auth/address/confirm', { token })

export const undoAddress = (token: string): Promise<Response> => postJson('/v1/auth/address/undo', { token })

/** Confirms the login first if it is not fresh, as the web client does. */
export async function changeHandle(user: RegisteredUser, handle: string): Promise<Response> {
  const change = () => user.fetch('/v1/me/handle', { method: 'PUT', json: { handle } })
  const response = await change()
  if (response.status !== 403) return response
  await user.fetch('/v1/auth/confirm', { method: 'POST', json: { password: PASSWORD } })
  return change()
}

/** The token in the email to the new address. */
export async function mailedAddressToken(id: Id, email: string): Promise<string> {
  const ctx = context()
  return (await readPendingAddress(ctx, id, await emailIndex(ctx, email)))!.token
}

/** The token in the email to the former address. */
export async function mailedUndoToken(id: Id, email: string): Promise<string> {
  const ctx = context()
  return (await undoToken(ctx, id, await emailIndex(ctx, email)))!
}

/** The token in the email about a new factor. */
export async function mailedFactorToken(id: Id, factorId: string): Promise<string> {
  return (await undoFactorToken(context(), id, factorId))!
}

/** What `refusal` returns for a token that is wrong, expired or used. */
export const badToken = [422, [{ field: 'token', message: 'is wrong, expired or already used; ask for a new one' }]]

/** The status of a problem, and its entry per field. */
export async function refusal(response: Response) {
  return [response.status, (await response.json<{ errors: unknown }>()).errors]
}

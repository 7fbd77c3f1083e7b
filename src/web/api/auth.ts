import { call } from './api.ts'
import { ApiError, InvalidField, isUnauthorized, NetworkError } from './http.ts'
import { endSession, startSession } from './session.ts'
import type { Login, Registration, Tokens, Verification } from './wire.ts'

export async function register(json: Registration): Promise<void> {
  await call('POST', '/auth/register', { json }).catch((error: unknown) => {
    throw error instanceof ApiError && error.status === 409 ? new InvalidField('handle', 'is already taken') : error
  })
}

/** Verifies an email address with the token sent to it, and logs in. */
export async function verify(json: Verification): Promise<void> {
  const tokens = await call<Tokens>('POST', '/auth/verify', { json }).catch((error: unknown) => {
    const message = 'is wrong. Try again, or register again to get a new email'
    throw isUnauthorized(error) ? new InvalidField('password', message) : error
  })
  await startSession(tokens)
}

export async function logIn(json: Login): Promise<void> {
  await startSession(await call<Tokens>('POST', '/auth/login', { json }))
}

/** Logs out. Without a network, the session ends in this browser but not on the server. */
export async function logOut(): Promise<void> {
  await call('POST', '/auth/logout').catch((error: unknown) => {
    if (!(error instanceof NetworkError) && !isUnauthorized(error)) throw error
  })
  await endSession()
}

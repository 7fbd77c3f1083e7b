import { call } from './api.ts'
import { ApiError, InvalidField, isUnauthorized, NetworkError } from './http.ts'
import { endSession, startSession } from './session.ts'
import type { Confirmation, Login, Registration, Tokens, Verification } from './wire.ts'

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
  const tokens = await call<Tokens>('POST', '/auth/login', { json }).catch((error: unknown) => {
    throw isUnauthorized(error) ? new ApiError(401, 'The handle, email or password is wrong') : error
  })
  await startSession(tokens)
}

/** Confirms the password of the current login, for operations that require a fresh login. */
export async function confirmLogin(json: Confirmation): Promise<void> {
  await call('POST', '/auth/confirm', { json }).catch((error: unknown) => {
    throw isUnauthorized(error) ? new InvalidField('password', 'is wrong') : error
  })
}

/** Logs out. Without a network, the session ends in this browser but not on the server. */
export async function logOut(): Promise<void> {
  await call('POST', '/auth/logout').catch((error: unknown) => {
    if (!(error instanceof NetworkError) && !isUnauthorized(error)) throw error
  })
  await endSession()
}

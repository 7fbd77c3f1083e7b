import type {
  Confirmation,
  Login,
  Registered,
  Registration,
  RegistrationRules,
  Tokens,
  Verification,
} from '../../client/wire.ts'
import { call, get } from './api.ts'
import { ApiError, InvalidField, isCode, isUnauthorized, NetworkError } from './http.ts'
import { endSession, rememberDevice, startSession } from './session.ts'
import { loadToken, saveToken } from './token-store.ts'

export const loadRegistrationRules = () => get<RegistrationRules>('/auth/registration')

export async function register(json: Registration): Promise<void> {
  const { registrationToken } = await call<Registered>('POST', '/auth/register', { json }).catch((error: unknown) => {
    throw isCode(error, 'handle_taken') ? new InvalidField('handle', 'is already taken') : error
  })
  await saveToken('registration', registrationToken)
}

/**
 * Verifies an email address with the token sent to it, and logs in. Needs no password in the browser that registered;
 * elsewhere it fails with an error of the field `password`.
 */
export async function verify({ token, password }: Pick<Verification, 'token' | 'password'>): Promise<Tokens> {
  const registrationToken = await loadToken('registration')
  const json: Verification = { token, password, registrationToken }
  const tokens = await call<Tokens>('POST', '/auth/verify', { json }).catch((error: unknown) => {
    const message = 'is wrong. Try again, or register again to get a new email'
    throw isUnauthorized(error) ? new InvalidField('password', message) : error
  })
  await saveToken('registration', undefined)
  await startSession(tokens)
  return tokens
}

/** Logs in, with the proof that this browser has done so before, if it has. */
export async function logIn(credentials: Omit<Login, 'deviceToken'>): Promise<Tokens> {
  const name = credentials.identifier.replace(/^[@＠]/, '').toLowerCase()
  const [named, last] = [await loadToken(`device:${name}`), await loadToken('device')]
  // A reset of the password stores its token without a name, and voids the older one of the same account.
  const deviceToken = named && accountOf(named) !== accountOf(last) ? named : last
  const json: Login = { ...credentials, deviceToken }
  const tokens = await call<Tokens>('POST', '/auth/login', { json }).catch((error: unknown) => {
    throw isUnauthorized(error) ? new ApiError(401, 'The handle, email or password is wrong') : error
  })
  await rememberDevice(tokens, name)
  await startSession(tokens)
  return tokens
}

const accountOf = (deviceToken = '') => deviceToken.split('.')[0]

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

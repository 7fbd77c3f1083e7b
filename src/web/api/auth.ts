import { ApiError, type Login, type Registration, type Tokens, type Verification } from '../../client/client.ts'
import { client } from './client.ts'
import { InvalidField, instead } from './errors.ts'
import { rememberDevice } from './session.ts'
import { loadToken, saveToken } from './token-store.ts'

export async function register(registration: Registration): Promise<void> {
  const taken = new InvalidField('handle', 'is already taken')
  const { registrationToken } = await client.register(registration).catch(instead('handle_taken', taken))
  await saveToken('registration', registrationToken)
}

/**
 * Verifies an email address with the token sent to it, and logs in. Needs no password in the browser that registered;
 * elsewhere it fails with an error of the field `password`.
 */
export async function verify({ token, password }: Pick<Verification, 'token' | 'password'>): Promise<Tokens> {
  const registrationToken = await loadToken('registration')
  const wrong = new InvalidField('password', 'is wrong. Try again, or register again to get a new email')
  const verification = { token, password, registrationToken }
  const tokens = await client.verifyAddress(verification).catch(instead('invalid_credentials', wrong))
  await saveToken('registration', undefined)
  return tokens
}

/** Logs in, with the proof that this browser has done so before, if it has. */
export async function logIn(credentials: Omit<Login, 'deviceToken'>): Promise<Tokens> {
  const name = credentials.identifier.replace(/^[@＠]/, '').toLowerCase()
  const [named, last] = [await loadToken(`device:${name}`), await loadToken('device')]
  // A reset of the password stores its token without a name, and voids the older one of the same account.
  const deviceToken = named && accountOf(named) !== accountOf(last) ? named : last
  const title = 'The handle, email or password is wrong'
  const wrong = new ApiError({ status: 401, code: 'invalid_credentials', title })
  const tokens = await client.logIn({ ...credentials, deviceToken }).catch(instead('invalid_credentials', wrong))
  await rememberDevice(tokens, name)
  return tokens
}

const accountOf = (deviceToken = '') => deviceToken.split('.')[0]

/** Confirms the password of the current login, for operations that require a fresh login. */
export async function confirmLogin(password: string): Promise<void> {
  const wrong = new InvalidField('password', 'is wrong')
  await client.confirmLogin({ password }).catch(instead('invalid_credentials', wrong))
}

/** Logs out. If the server cannot be reached, the session ends in this browser but not on the server. */
export async function logOut(): Promise<void> {
  await client.logOut().catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error
  })
}

import {
  ApiError,
  type Login,
  type Registration,
  type SecondFactor,
  type Tokens,
  type Verification,
} from '../../client/client.ts'
import { client } from './client.ts'
import { InvalidField, instead } from './errors.ts'
import { signWith } from './passkeys.ts'
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

/** The second step of a login. The typed code is one of an authenticator app, or a recovery code. */
export async function finishLogin({ challenge }: SecondFactor, typed: string, name: string): Promise<Tokens> {
  const wrong = new InvalidField('code', 'is wrong or was used before')
  const tokens = await client.finishLogin({ challenge, ...proofOf(typed) }).catch(instead('invalid_credentials', wrong))
  await rememberDevice(tokens, name)
  return tokens
}

export async function finishWithPasskey({ challenge, passkey }: SecondFactor, name: string): Promise<Tokens> {
  const tokens = await client.finishLogin({ challenge, passkey: await signWith(passkey) }).catch(refusedPasskey)
  await rememberDevice(tokens, name)
  return tokens
}

/** Logs in without a name or password. */
export async function logInWithPasskey(): Promise<Tokens> {
  const { challenge, options } = await client.startPasskeyLogin()
  const [passkey, deviceToken] = [await signWith(options), await loadToken('device')]
  return client.logInWithPasskey({ challenge, passkey, deviceToken }).catch(refusedPasskey)
}

const refusedPasskey = instead(
  'invalid_credentials',
  new ApiError({ status: 401, code: 'invalid_credentials', title: 'This passkey is not one of an account here' }),
)

/** Codes of authenticator apps have six digits, recovery codes have letters too. */
export const proofOf = (typed: string) =>
  /^\d{6}$/.test(typed.replace(/\s/g, '')) ? { code: typed } : { recoveryCode: typed }

type Confirmed = { password: string; code: string | undefined }

/** Confirms the current login, for operations that require a fresh login. */
export async function confirmLogin({ password, code }: Confirmed): Promise<void> {
  const which = code === undefined ? new InvalidField('password', 'is wrong') : new InvalidField('code', WRONG_EITHER)
  const proof = code === undefined ? {} : proofOf(code)
  await client.confirmLogin({ password, ...proof }).catch(instead('invalid_credentials', which))
}
const WRONG_EITHER = 'or the password is wrong, or the code was used before'

export async function confirmWithPasskey(): Promise<void> {
  const { challenge, options } = await client.startConfirmation()
  await client.confirmLogin({ challenge, passkey: await signWith(options) }).catch(refusedPasskey)
}

/** Logs out. If the server cannot be reached, the session ends in this browser but not on the server. */
export async function logOut(): Promise<void> {
  await client.logOut().catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error
  })
}

import type {
  AddressChange,
  AddressToken,
  HandleChange,
  Identity,
  PasswordChange,
  PasswordReset,
  Resend,
  Reset,
  ResetRequest,
  Tokens,
} from '../../client/wire.ts'
import { call, get } from './api.ts'
import { InvalidField, isCode, isUnauthorized } from './http.ts'
import { renameSession, replaceTokens } from './session.ts'
import { saveToken } from './token-store.ts'

/** Asks for an email with a link that resets the password. Succeeds for unknown names too. */
export const requestReset = (json: ResetRequest) => call('POST', '/auth/password/forgot', { json })

/** Stores the proof that lets the next login here pass, even while others guess the password. */
export async function resetPassword(json: Reset): Promise<void> {
  const { deviceToken } = await call<PasswordReset>('POST', '/auth/password/reset', { json })
  await saveToken('device', deviceToken)
}

export const resendVerification = (json: Resend) => call('POST', '/auth/verify/resend', { json })

export const confirmAddress = (json: AddressToken) => call('POST', '/auth/address/confirm', { json })

export const undoAddress = (json: AddressToken) => call('POST', '/auth/address/undo', { json })

export const loadIdentity = () => get<Identity>('/me/identity')

/** Ends every other login and goes on with new tokens. */
export async function changePassword(json: PasswordChange): Promise<void> {
  const request = () => call<Tokens>('PUT', '/auth/password', { json, hasFreshToken: true })
  await replaceTokens(request).catch((error: unknown) => {
    throw isUnauthorized(error) ? new InvalidField('currentPassword', 'is wrong') : error
  })
}

export const changeAddress = (json: AddressChange) => call('PUT', '/me/address', { json })

export async function changeHandle(json: HandleChange): Promise<Identity> {
  const identity = await call<Identity>('PUT', '/me/handle', { json }).catch((error: unknown) => {
    throw isCode(error, 'handle_taken') ? new InvalidField('handle', 'is already taken') : error
  })
  renameSession(identity.handle)
  return identity
}

import type { HandleChange, Identity, PasswordChange, Reset } from '../../client/client.ts'
import { client } from './client.ts'
import { InvalidField, instead } from './errors.ts'
import { renameSession } from './session.ts'
import { saveToken } from './token-store.ts'

/** Stores the proof that lets the next login here pass, even while others guess the password. */
export async function resetPassword(reset: Reset): Promise<void> {
  const { deviceToken } = await client.resetPassword(reset)
  await saveToken('device', deviceToken)
}

/** Ends every other login and goes on with new tokens. The current password confirms the login too, if it is enough. */
export async function changePassword(change: PasswordChange): Promise<void> {
  const wrong = new InvalidField('currentPassword', 'is wrong')
  const { totpSince, passkeys } = await client.readSecondFactors()
  const isEnough = totpSince === null && passkeys === 0
  if (isEnough)
    await client.confirmLogin({ password: change.currentPassword }).catch(instead('invalid_credentials', wrong))
  await client.changePassword(change).catch(instead('invalid_credentials', wrong))
}

export async function changeHandle(change: HandleChange): Promise<Identity> {
  const taken = new InvalidField('handle', 'is already taken')
  const identity = await client.changeHandle(change).catch(instead('handle_taken', taken))
  renameSession(identity.handle)
  return identity
}

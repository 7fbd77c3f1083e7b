import { defineFailure } from '../../platform/failures.ts'
import { HANDLE_CHANGE_DAYS } from './lifetimes.ts'

export const invalidCredentials = defineFailure('invalid_credentials', 401, 'The name, password or token is wrong', {
  meaning: 'The name and password do not belong together, or the refresh token was used before or has expired.',
  action: 'Let the user type the credentials again. Do not repeat the request by itself.',
})
export const handleTaken = defineFailure('handle_taken', 409, 'The handle is taken', {
  meaning: 'Another account has the handle, or had it recently.',
  action: 'Ask for another handle.',
})
export const loginChallengeRequired = defineFailure(
  'login_challenge_required',
  403,
  'After too many wrong passwords, a known device or a solved challenge is required',
  {
    meaning: 'Somebody has guessed passwords of this account, or from this address.',
    action:
      'Send the `deviceToken` of an earlier login, or the `turnstileToken` of a solved challenge, with the login.',
  },
)
export const registrationClosed = defineFailure('registration_closed', 403, 'Nobody can register here', {
  meaning: 'The operator has closed registration.',
  action: 'Do not offer registration. `readRegistration` says in advance who may register.',
})
export const handleChangedRecently = defineFailure('handle_changed_recently', 409, 'The handle was changed recently', {
  meaning: `A handle can be changed once in ${HANDLE_CHANGE_DAYS} days.`,
  action: 'Wait until `handleChangeableAt` of `readIdentity`.',
})
export const awaitingApproval = defineFailure('awaiting_approval', 403, 'A moderator must approve this account first', {
  meaning: 'The address is verified, but a moderator has not approved the registration yet.',
  action: 'Tell the user to wait for the email that announces the approval.',
})
export const tooManyInvitations = defineFailure('too_many_invitations', 409, 'You have five open invitations', {
  meaning: 'The account has as many unused invitations as it may have.',
  action: 'Revoke one with `revokeInvitation`, or wait until one is used or expires.',
})

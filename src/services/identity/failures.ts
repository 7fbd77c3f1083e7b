import { defineFailure } from '../../platform/failures.ts'
import { CHALLENGE_MINUTES, HANDLE_CHANGE_DAYS, MAX_PASSKEYS } from './lifetimes.ts'

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
export const providerFailed = defineFailure('provider_failed', 502, 'The identity provider gave a wrong answer', {
  meaning: 'The answer of the provider is malformed, expired or not meant for this system. Nothing was changed.',
  action: 'Start the login at the provider again. If that fails too, let the user log in with a password.',
})
export const registrationRequired = defineFailure(
  'registration_required',
  403,
  'No account is linked to this identity yet',
  {
    meaning: 'The person has proved an identity at the provider that no account is linked to.',
    action: 'Ask for a handle, and send it with the token in `registration` to `registerWithProvider`.',
  },
)
export const linkRequired = defineFailure('link_required', 409, 'An account has this address already', {
  meaning: 'The address that the provider has verified belongs to an account that is not linked to this identity.',
  action: 'Ask the user to log in to that account, and to link the provider in the settings.',
})
export const identityLinked = defineFailure('identity_linked', 409, 'This identity is linked to another account', {
  meaning: 'An identity at a provider can be linked to one account only.',
  action: 'Tell the user to log in with the provider, or to unlink it from the other account first.',
})
export const verificationRequired = defineFailure(
  'verification_required',
  403,
  'The address must be verified before the first login',
  {
    meaning: 'The account is registered, but the provider has not verified the address. An email was sent to it.',
    action: 'Keep `registrationToken`, and send it with the token from the email to `verifyAddress`.',
  },
)
export const lastWayToLogIn = defineFailure('last_way_to_log_in', 409, 'This is the last way to log in', {
  meaning: 'Without this identity, nobody could log in to the account: it has neither a password nor another link.',
  action: 'Let the user set a password by email first, with `requestPasswordReset`.',
})
export const tooManyLinks = defineFailure('too_many_links', 409, 'The account is linked to ten identities', {
  meaning: 'The account is linked to as many identities as it may be.',
  action: 'Remove one with `unlinkProvider`.',
})
export const tooManyInvitations = defineFailure('too_many_invitations', 409, 'You have five open invitations', {
  meaning: 'The account has as many unused invitations as it may have.',
  action: 'Revoke one with `revokeInvitation`, or wait until one is used or expires.',
})
export const secondFactorRequired = defineFailure('second_factor_required', 401, 'A second factor is required', {
  meaning: `The password is right, but the account has a second factor. \`secondFactor\` has a challenge, valid for ${CHALLENGE_MINUTES} minutes.`,
  action: 'Ask for one of the `methods`, and send it with the `challenge` to `finishLogin`.',
})
export const longPasswordRequired = defineFailure(
  'long_password_required',
  409,
  'A longer password must be set first',
  {
    meaning: 'Without its last second factor, the account needs a longer password.',
    action: 'Let the user set a longer password with `changePassword`, then repeat the request.',
  },
)
export const tooManyPasskeys = defineFailure(
  'too_many_passkeys',
  409,
  'The account has as many passkeys as it may have',
  {
    meaning: `An account can have ${MAX_PASSKEYS} passkeys.`,
    action: 'Remove one that is no longer used.',
  },
)

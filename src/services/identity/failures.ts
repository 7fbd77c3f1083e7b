import { defineFailure } from '../../platform/failures.ts'

export const invalidCredentials = defineFailure('invalid_credentials', 401, 'The name, password or token is wrong')
export const handleTaken = defineFailure('handle_taken', 409, 'The handle is taken')
export const loginChallengeRequired = defineFailure(
  'login_challenge_required',
  403,
  'After too many wrong passwords, a known device or a solved challenge is required',
)
export const registrationClosed = defineFailure('registration_closed', 403, 'Nobody can register here')
export const handleChangedRecently = defineFailure('handle_changed_recently', 409, 'The handle was changed recently')
export const awaitingApproval = defineFailure('awaiting_approval', 403, 'A moderator must approve this account first')
export const tooManyInvitations = defineFailure('too_many_invitations', 409, 'You have five open invitations')

export const MAX_LOGIN_DAYS = 180
export const REFRESH_TOKEN_DAYS = 30
export const DEVICE_TOKEN_DAYS = 400
export const MAX_LOGINS = 50
/** A client that lost the response of a rotation may repeat the request for this long. */
export const REUSE_SECONDS = 30
/** How long an unverified registration holds its handle, and how long the emailed token is valid. */
export const VERIFICATION_MINUTES = 60
export const INVITATION_DAYS = 7
export const MAX_OPEN_INVITATIONS = 5
/** How long the link in an email resets the password. */
export const RESET_MINUTES = 30
export const CONFIRM_ADDRESS_HOURS = 24
/** How long the owner of a former address can undo its change. */
export const UNDO_ADDRESS_HOURS = 72
/** How long the mail about a new second factor can undo it. */
export const UNDO_FACTOR_HOURS = 72
export const HANDLE_CHANGE_DAYS = 30
/** How long a former handle resolves to its account, and nobody else may register it. */
export const FORMER_HANDLE_DAYS = 90
/** The time to log in at an identity provider. */
export const FLOW_MINUTES = 10
/** The time to choose a handle afterwards. */
export const PROVIDER_REGISTRATION_MINUTES = 30
export const MAX_LINKS = 10
/** How long a client has for the second step of a login, or to use a passkey. */
export const CHALLENGE_MINUTES = 5
export const MAX_PASSKEYS = 20

/** A login ends after this time, and earlier if its refresh token is not used in time. */
export const MAX_LOGIN_DAYS = 180
export const REFRESH_TOKEN_DAYS = 30
/** A client that lost the response of a rotation may repeat the request for this long. */
export const REUSE_SECONDS = 30
export const VERIFICATION_HOURS = 24

export const CODE_SECONDS = 60
/** How long a used code is remembered, so that its reuse is noticed. */
export const USED_CODE_HOURS = 24
export const MAX_APPS = 25
/** Apps that registered themselves, on the whole server. */
export const MAX_SELF_REGISTERED = 5_000
export const MAX_REDIRECTS = 10
/** An app that registered itself is deleted after this time if nobody allows it. */
export const UNUSED_APP_DAYS = 7

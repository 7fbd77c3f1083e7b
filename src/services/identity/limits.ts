import { defineLimit } from '../../platform/security/rate-limit.ts'

export const registerLimit = defineLimit('register', { quota: 20, window: 3_600 })
// The limits of a login, in this order: `anonymous` or `user`; `loginPerDevice` for a known device; above it, or on another
// device, `login` per address and `loginPerName`; above these, Turnstile and `challengedLogin`. All but the first count
// wrong guesses only.
export const loginLimit = defineLimit('login', { quota: 10, window: 300 })
export const loginPerNameLimit = defineLimit('loginPerName', { quota: 100, window: 3_600 })
export const loginPerDeviceLimit = defineLimit('loginPerDevice', { quota: 20, window: 3_600 })
export const challengedLoginLimit = defineLimit('challengedLogin', { quota: 300, window: 3_600 })
/** How many refused logins of an account the audit log shows. */
export const notedRefusalLimit = defineLimit('notedRefusal', { quota: 5, window: 3_600 })
export const notedFailuresLimit = defineLimit('notedFailures', { quota: 20, window: 3_600 })
export const invitationLimit = defineLimit('invitation', { quota: 20, window: 86_400 })
export const verifyLimit = defineLimit('verify', { quota: 10, window: 3_600 })
export const providerStartLimit = defineLimit('providerStart', { quota: 60, window: 3_600 })
export const providerCallbackLimit = defineLimit('providerCallback', { quota: 60, window: 3_600 })
export const refreshLimit = defineLimit('refresh', { quota: 60, window: 60 })
export const confirmLimit = defineLimit('confirm', { quota: 10, window: 3_600 })
export const newDeviceMailLimit = defineLimit('newDeviceMail', { quota: 10, window: 86_400 })
export const resetRequestLimit = defineLimit('resetRequest', { quota: 20, window: 3_600 })
export const resendLimit = defineLimit('resend', { quota: 20, window: 3_600 })
export const alreadyVerifiedLimit = defineLimit('alreadyVerified', { quota: 5, window: 3_600 })
export const mailedTokenLimit = defineLimit('mailedToken', { quota: 30, window: 3_600 })
/** Counted per account, and per new address, to protect an inbox from the mails of many accounts. */
export const addressChangeLimit = defineLimit('addressChange', { quota: 10, window: 3_600 })
export const handleChangeLimit = defineLimit('handleChange', { quota: 30, window: 3_600 })
/** Wrong codes and passkeys at the second step of a login: per challenge, and per account or known device of it. */
export const secondStepLimit = defineLimit('secondStep', { quota: 5, window: 300 })
export const secondFactorLimit = defineLimit('secondFactor', { quota: 10, window: 3_600 })
/** Wrong codes of an authenticator app, per account or known device: of a million codes, three are right. */
export const dailyCodesLimit = defineLimit('dailyCodes', { quota: 30, window: 86_400 })
/** Wrong codes and passkeys of which the owner of the account is not told, and the mails about the others. */
export const untoldGuessesLimit = defineLimit('untoldGuesses', { quota: 4, window: 86_400 })
export const guessMailLimit = defineLimit('guessMail', { quota: 1, window: 86_400 })
export const passkeyChallengeLimit = defineLimit('passkeyChallenge', { quota: 60, window: 300 })

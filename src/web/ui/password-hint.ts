import { registrationRules } from '../state/registration-rules.ts'

export const passwordHint = () =>
  `At least ${registrationRules.value.minPasswordLength} characters. A few random words work well.`

/** With a second factor, a shorter password is enough. Whether there is one is not always known. */
export const MIN_LENGTH_WITH_FACTOR = 8
export const replacedPasswordHint = () =>
  `${passwordHint()} With a second factor, ${MIN_LENGTH_WITH_FACTOR} characters are enough.`

import { registrationRules } from '../state/registration-rules.ts'

export const passwordHint = () =>
  `At least ${registrationRules.value.minPasswordLength} characters. A few random words work well.`

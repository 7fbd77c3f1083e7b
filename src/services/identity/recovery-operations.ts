import { type Operation, operation } from '../../platform/http/operation.ts'
import { writeAccounts } from '../accounts/policy.ts'
import { invalidCredentials } from './failures.ts'
import { RESET_MINUTES } from './lifetimes.ts'
import { mailedTokenLimit, resendLimit, resetRequestLimit } from './limits.ts'
import { changePassword, PasswordChange } from './password-change.ts'
import {
  Accepted,
  Resend,
  Reset,
  ResetRequest,
  requestPasswordReset,
  resendVerification,
  resetPassword,
} from './password-reset.ts'
import { Tokens } from './views.ts'

const PASSWORD = 'nine loud herons at dusk'
const TOKEN = '1970324836974593.1893456000000.qL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY'

const revealsNothing = 'The response reveals nothing about the account, which may not exist.'

export const recoveryOperations: Operation[] = [
  operation({
    id: 'requestPasswordReset',
    method: 'post',
    path: '/auth/password/forgot',
    access: 'public',
    limit: resetRequestLimit,
    body: ResetRequest,
    example: { identifier: 'ada' },
    returns: Accepted,
    status: 202,
    summary: 'Ask for an email with a token that resets the password',
    description: `${revealsNothing} The token is valid for ${RESET_MINUTES} minutes. An account gets at most one such email a minute, and five an hour.`,
    run: requestPasswordReset,
  }),
  operation({
    id: 'resetPassword',
    method: 'post',
    path: '/auth/password/reset',
    access: 'public',
    limit: mailedTokenLimit,
    body: Reset,
    example: { token: TOKEN, password: PASSWORD },
    returns: null,
    summary: 'Reset the password with the token from the email, and end every login',
    description: 'The token works once. It stops working when the password or the address of the account changes.',
    run: resetPassword,
  }),
  operation({
    id: 'changePassword',
    method: 'put',
    path: '/auth/password',
    access: 'user',
    scope: writeAccounts,
    body: PasswordChange,
    example: { currentPassword: 'seven quiet otters at dawn', password: PASSWORD },
    returns: Tokens,
    fails: [invalidCredentials],
    summary: 'Change the password and end every other login; this one goes on with the tokens in the response',
    run: changePassword,
  }),
  operation({
    id: 'resendVerification',
    method: 'post',
    path: '/auth/verify/resend',
    access: 'public',
    limit: resendLimit,
    body: Resend,
    example: { email: 'ada@example.com' },
    returns: Accepted,
    status: 202,
    summary: 'Ask for another verification email',
    description: revealsNothing,
    run: resendVerification,
  }),
]

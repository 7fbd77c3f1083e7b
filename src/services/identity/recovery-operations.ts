import { type Operation, operation } from '../../platform/http/operation.ts'
import { readAccounts, writeAccounts } from '../accounts/policy.ts'
import { AddressChange, AddressToken, changeAddress, confirmAddress, undoAddress } from './address-change.ts'
import { handleChangedRecently, handleTaken, invalidCredentials } from './failures.ts'
import { changeHandle, HandleChange } from './handle-change.ts'
import { readIdentity } from './identity.ts'
import {
  CONFIRM_ADDRESS_HOURS,
  FORMER_HANDLE_DAYS,
  HANDLE_CHANGE_DAYS,
  RESET_MINUTES,
  UNDO_ADDRESS_HOURS,
} from './lifetimes.ts'
import { mailedTokenLimit, resendLimit, resetRequestLimit } from './limits.ts'
import { changePassword, PasswordChange } from './password-change.ts'
import {
  PasswordReset,
  Resend,
  Reset,
  ResetRequest,
  requestPasswordReset,
  resendVerification,
  resetPassword,
} from './password-reset.ts'
import { addressOnly, credentialsOnly } from './policy.ts'
import { Accepted, Identity, Tokens } from './views.ts'

const PASSWORD = 'nine loud herons at dusk'
const TOKEN = '1970324836974593.1893456000000.qL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY'

const revealsNothing = 'The response reveals nothing about the account, which may not exist.'

export const recoveryOperations = [
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
    noRpc: credentialsOnly,
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
    returns: PasswordReset,
    noRpc: credentialsOnly,
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
    login: true,
    body: PasswordChange,
    example: { currentPassword: 'seven quiet otters at dawn', password: PASSWORD },
    returns: Tokens,
    fails: [invalidCredentials],
    noRpc: credentialsOnly,
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
    noRpc: credentialsOnly,
    summary: 'Ask for another verification email',
    description: revealsNothing,
    run: resendVerification,
  }),
  operation({
    id: 'readIdentity',
    method: 'get',
    path: '/me/identity',
    access: 'user',
    scope: readAccounts,
    login: true,
    returns: Identity,
    noRpc: addressOnly,
    summary:
      'Read your handle, email address and role, when the handle may be changed, and when the password was changed',
    run: readIdentity,
  }),
  operation({
    id: 'changeAddress',
    method: 'put',
    path: '/me/address',
    access: 'user',
    scope: writeAccounts,
    fresh: true,
    body: AddressChange,
    example: { email: 'ada@example.org' },
    returns: Accepted,
    status: 202,
    summary: 'Request a new email address; it gets an email with a token that confirms it',
    description: `Nothing changes until the token is used, for which there are ${CONFIRM_ADDRESS_HOURS} hours. The response does not reveal whether the address has an account.`,
    run: changeAddress,
  }),
  operation({
    id: 'confirmAddress',
    method: 'post',
    path: '/auth/address/confirm',
    access: 'public',
    limit: mailedTokenLimit,
    body: AddressToken,
    example: { token: TOKEN },
    returns: null,
    fails: ['suspended'],
    noRpc: credentialsOnly,
    summary: 'Confirm a new address with the token from the email to it',
    description: `The former address gets an email with a token that undoes the change for ${UNDO_ADDRESS_HOURS} hours.`,
    run: confirmAddress,
  }),
  operation({
    id: 'undoAddress',
    method: 'post',
    path: '/auth/address/undo',
    access: 'public',
    limit: mailedTokenLimit,
    body: AddressToken,
    example: { token: TOKEN },
    returns: null,
    noRpc: credentialsOnly,
    summary: 'Restore the former address with the token from the email to it, end every login and void the password',
    run: undoAddress,
  }),
  operation({
    id: 'changeHandle',
    method: 'put',
    path: '/me/handle',
    access: 'user',
    scope: writeAccounts,
    fresh: true,
    body: HandleChange,
    example: { handle: 'ada_lovelace' },
    returns: Identity,
    fails: [handleTaken, handleChangedRecently],
    summary: `Change your handle, once in ${HANDLE_CHANGE_DAYS} days`,
    description: `For ${FORMER_HANDLE_DAYS} days, the former handle resolves to your account, nobody else may register it, and you may take it back at any time.`,
    run: changeHandle,
  }),
] satisfies Operation[]

import { type Operation, operation } from '../../../platform/http/operation.ts'
import { readAccounts, writeAccounts } from '../../accounts/policy.ts'
import {
  awaitingApproval,
  invalidCredentials,
  lastWayToLogIn,
  longPasswordRequired,
  tooManyPasskeys,
} from '../failures.ts'
import { startConfirmation } from '../fresh-login.ts'
import { CHALLENGE_MINUTES, MAX_PASSKEYS } from '../lifetimes.ts'
import { passkeyChallengeLimit } from '../limits.ts'
import { credentialsOnly, loginOnly } from '../policy.ts'
import { Tokens } from '../views.ts'
import { logInWithPasskey, PasskeyLogin, startPasskeyLogin } from './passkey-login.ts'
import { PasskeyChallenge } from './passkey-options.ts'
import { PasskeyCreationChallenge, startPasskey } from './passkey-registration.ts'
import {
  AddedPasskey,
  addPasskey,
  listPasskeys,
  Passkey,
  PasskeyAddition,
  PasskeyName,
  PasskeyPath,
  Passkeys,
  removePasskey,
  renamePasskey,
} from './passkeys.ts'
import { RecoveryCodes, readSecondFactors, replaceRecoveryCodes, SecondFactors } from './recovery.ts'
import { finishLogin, SecondStep } from './second-step.ts'
import { ConfirmedTotp, confirmTotp, removeTotp, startTotp, TotpConfirmation, TotpSecret } from './totp.ts'

// Made-up values for the examples in the API document: well-formed, but of no real account.
const CHALLENGE =
  '1b4e28ba-2fa1-4d3b-9f0e-5c2d7a6b8c90.1970324836974593:.1893456000000.qL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uC'
const CLIENT_DATA = 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0'
const CREDENTIAL = 'Dv5rKc1xPz8tWm3q'
const ASSERTION = { id: CREDENTIAL, clientDataJSON: CLIENT_DATA, authenticatorData: 'SZYN5Q', signature: 'MEUCIQ' }

const oneWay = 'A client of a person proves its factors at one place'
const own = { access: 'user', login: true, restOnly: oneWay, noRpc: credentialsOnly } as const
const change = { ...own, scope: writeAccounts, fresh: true } as const

export const factorOperations = [
  operation({
    id: 'finishLogin',
    method: 'post',
    path: '/auth/login/second-factor',
    access: 'public',
    body: SecondStep,
    example: { challenge: CHALLENGE, code: '287082' },
    returns: Tokens,
    fails: [invalidCredentials, awaitingApproval, 'rate_limited'],
    restOnly: oneWay,
    noRpc: credentialsOnly,
    summary: 'Finish a login that needs a second factor, with a code, a recovery code or a passkey',
    description:
      'Send the `challenge` of `second_factor_required` with one of the three. A code works once. After five wrong guesses for a challenge, or ten in an hour (30 wrong codes in a day) for the account on new devices, it is refused for a while; a known device has guesses of its own.',
    run: finishLogin,
  }),
  operation({
    id: 'startPasskeyLogin',
    method: 'post',
    path: '/auth/passkey/challenge',
    access: 'public',
    limit: passkeyChallengeLimit,
    returns: PasskeyChallenge,
    restOnly: oneWay,
    noRpc: credentialsOnly,
    summary: 'Get a challenge for a login with a passkey',
    description: `For \`navigator.credentials.get\`. It works once, within ${CHALLENGE_MINUTES} minutes.`,
    run: startPasskeyLogin,
  }),
  operation({
    id: 'logInWithPasskey',
    method: 'post',
    path: '/auth/passkey',
    access: 'public',
    limit: passkeyChallengeLimit,
    body: PasskeyLogin,
    example: { challenge: CHALLENGE, passkey: ASSERTION },
    returns: Tokens,
    fails: [invalidCredentials, awaitingApproval],
    restOnly: oneWay,
    noRpc: credentialsOnly,
    summary: 'Log in with a passkey, without a name or password',
    description: 'A passkey verifies the person, so it counts as both factors.',
    run: logInWithPasskey,
  }),
  operation({
    ...own,
    id: 'startConfirmation',
    whileSuspended: true,
    method: 'post',
    path: '/auth/confirm/challenge',
    scope: writeAccounts,
    returns: PasskeyChallenge,
    summary: 'Get the challenge with which a passkey confirms this login',
    run: startConfirmation,
  }),
  operation({
    id: 'readSecondFactors',
    whileSuspended: true,
    method: 'get',
    path: '/me/factors',
    access: 'user',
    login: true,
    scope: readAccounts,
    returns: SecondFactors,
    noRpc: loginOnly,
    summary: 'Read which second factors your account has, and how many recovery codes are left',
    run: readSecondFactors,
  }),
  operation({
    ...change,
    id: 'startTotp',
    method: 'post',
    path: '/me/factors/totp',
    returns: TotpSecret,
    fails: ['conflict'],
    summary: 'Get the secret for an authenticator app (TOTP, RFC 6238)',
    description: 'It has no effect until `confirmTotp`. The codes have six digits, and change every 30 seconds.',
    run: startTotp,
  }),
  operation({
    ...change,
    id: 'confirmTotp',
    method: 'post',
    path: '/me/factors/totp/confirm',
    body: TotpConfirmation,
    example: { code: '287082' },
    returns: ConfirmedTotp,
    fails: ['conflict', invalidCredentials],
    summary: 'Turn on the authenticator app with its first code',
    description: 'From now on, a login needs a second factor. The first one comes with ten recovery codes.',
    run: confirmTotp,
  }),
  operation({
    ...change,
    id: 'removeTotp',
    method: 'delete',
    path: '/me/factors/totp',
    returns: null,
    fails: ['not_found', longPasswordRequired],
    summary: 'Remove the authenticator app; the recovery codes are deleted with the last second factor',
    run: removeTotp,
  }),
  operation({
    ...change,
    id: 'replaceRecoveryCodes',
    method: 'post',
    path: '/me/factors/recovery-codes',
    returns: RecoveryCodes,
    fails: ['conflict'],
    summary: 'Get ten new recovery codes; the former ones stop working',
    run: replaceRecoveryCodes,
  }),
  operation({
    id: 'listPasskeys',
    method: 'get',
    path: '/me/passkeys',
    access: 'user',
    login: true,
    scope: readAccounts,
    returns: Passkeys,
    noRpc: loginOnly,
    summary: 'List your passkeys, oldest first',
    description: `An account can have ${MAX_PASSKEYS} passkeys.`,
    run: listPasskeys,
  }),
  operation({
    ...change,
    id: 'startPasskey',
    method: 'post',
    path: '/me/passkey-challenge',
    returns: PasskeyCreationChallenge,
    summary: 'Get the challenge and options for a new passkey',
    description: `For \`navigator.credentials.create\`. The challenge works once, within ${CHALLENGE_MINUTES} minutes.`,
    run: startPasskey,
  }),
  operation({
    ...change,
    id: 'addPasskey',
    method: 'post',
    path: '/me/passkeys',
    body: PasskeyAddition,
    example: {
      challenge: CHALLENGE,
      name: 'My phone',
      passkey: { id: CREDENTIAL, clientDataJSON: CLIENT_DATA, attestationObject: 'o2NmbXRkbm9uZQ' },
    },
    returns: AddedPasskey,
    status: 201,
    location: ({ id }) => `/me/passkeys/${id}`,
    fails: ['conflict', tooManyPasskeys],
    summary: 'Add a passkey (WebAuthn)',
    description:
      'From now on, a login with the password needs a second factor. The first one comes with ten recovery codes.',
    run: addPasskey,
  }),
  operation({
    ...own,
    id: 'renamePasskey',
    method: 'patch',
    path: '/me/passkeys/{passkeyId}',
    scope: writeAccounts,
    params: PasskeyPath,
    body: PasskeyName,
    example: { name: 'My phone' },
    returns: Passkey,
    summary: 'Rename a passkey',
    run: renamePasskey,
  }),
  operation({
    ...change,
    id: 'removePasskey',
    method: 'delete',
    path: '/me/passkeys/{passkeyId}',
    params: PasskeyPath,
    returns: null,
    fails: [longPasswordRequired, lastWayToLogIn],
    summary:
      'Remove a passkey, unless it is the last way to log in; the recovery codes are deleted with the last second factor',
    run: removePasskey,
  }),
] satisfies Operation[]

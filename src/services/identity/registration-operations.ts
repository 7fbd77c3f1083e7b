import { PageQuery } from '../../platform/data/page.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { moderate, readAccounts, writeAccounts } from '../accounts/policy.ts'
import { AccountPath } from '../accounts/views.ts'
import { approveRegistration, listRegistrations, rejectRegistration, WaitingRegistrationPage } from './approvals.ts'
import {
  awaitingApproval,
  handleTaken,
  invalidCredentials,
  registrationClosed,
  tooManyInvitations,
} from './failures.ts'
import {
  createInvitation,
  InvitationPath,
  Invitations,
  InvitationWithCode,
  listInvitations,
  revokeInvitation,
} from './invitations.ts'
import { invitationLimit, registerLimit } from './limits.ts'
import { approveRegistrations, credentialsOnly } from './policy.ts'
import { Registered, Registration, register, Verification, verifyAddress } from './registration.ts'
import { RegistrationRules, readRegistration } from './registration-rules.ts'
import { Tokens } from './views.ts'

// Made-up values for the examples in the API document: well-formed, but of no real account.
const PASSWORD = 'seven quiet otters at dawn'
const SIGNATURE = 'qL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY'

export const registrationOperations = [
  operation({
    id: 'readRegistration',
    method: 'get',
    path: '/auth/registration',
    access: 'public',
    returns: RegistrationRules,
    cacheControl: 'public, max-age=60',
    summary: 'Read who may register here, and what registering requires',
    run: readRegistration,
  }),
  operation({
    id: 'register',
    method: 'post',
    path: '/auth/register',
    access: 'public',
    limit: registerLimit,
    body: Registration,
    example: { handle: 'ada', email: 'ada@example.com', password: PASSWORD },
    returns: Registered,
    status: 202,
    fails: [handleTaken, registrationClosed, 'unavailable'],
    noRpc: credentialsOnly,
    summary: 'Register an account; the token that activates it arrives by email',
    run: register,
  }),
  operation({
    id: 'verifyAddress',
    method: 'post',
    path: '/auth/verify',
    access: 'public',
    body: Verification,
    example: { token: `1970324836974593.1893456000000.${SIGNATURE}`, registrationToken: SIGNATURE },
    returns: Tokens,
    fails: [invalidCredentials, awaitingApproval],
    noRpc: credentialsOnly,
    summary: 'Verify an email address and log in, with the token from the email',
    description:
      'The client that registered also sends its `registrationToken`. Any other client sends the password, because the ' +
      'reader of the email may not be the person who registered. The token is valid for an hour. After that, another ' +
      'person may register the handle or the address. `awaiting_approval` means that the address is verified, but that ' +
      'a moderator must approve the account before its first login.',
    run: verifyAddress,
  }),
  operation({
    id: 'createInvitation',
    method: 'post',
    path: '/invitations',
    access: 'user',
    scope: writeAccounts,
    limit: invitationLimit,
    returns: InvitationWithCode,
    status: 201,
    location: ({ id }) => `/me/invitations/${id}`,
    fails: ['forbidden', tooManyInvitations],
    summary: 'Create an invitation, with which one person can register within seven days',
    description: 'Only where `readRegistration` returns the mode `invitation`. The `code` is never returned again.',
    run: createInvitation,
  }),
  operation({
    id: 'listInvitations',
    method: 'get',
    path: '/me/invitations',
    access: 'user',
    scope: readAccounts,
    returns: Invitations,
    summary: 'List your invitations that have not expired, newest first',
    run: listInvitations,
  }),
  operation({
    id: 'revokeInvitation',
    method: 'delete',
    path: '/me/invitations/{invitationId}',
    access: 'user',
    scope: writeAccounts,
    params: InvitationPath,
    returns: null,
    summary: 'Revoke one of your invitations; a used one stays',
    run: revokeInvitation,
  }),
  operation({
    id: 'listRegistrations',
    method: 'get',
    path: '/registrations',
    access: 'moderator',
    action: approveRegistrations,
    scope: moderate,
    query: PageQuery,
    returns: WaitingRegistrationPage,
    summary: 'List the accounts that wait for approval, newest first',
    run: listRegistrations,
  }),
  operation({
    id: 'approveRegistration',
    method: 'put',
    path: '/registrations/{accountId}/approval',
    access: 'moderator',
    action: approveRegistrations,
    scope: moderate,
    fresh: true,
    params: AccountPath,
    returns: null,
    summary: 'Approve an account, which opens it; its owner is mailed',
    run: approveRegistration,
  }),
  operation({
    id: 'rejectRegistration',
    method: 'delete',
    path: '/registrations/{accountId}',
    access: 'moderator',
    action: approveRegistrations,
    scope: moderate,
    fresh: true,
    params: AccountPath,
    returns: null,
    summary: 'Reject an account that waits for approval; its owner is mailed',
    run: rejectRegistration,
  }),
] satisfies Operation[]

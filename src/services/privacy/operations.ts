import { type Operation, operation } from '../../platform/http/operation.ts'
import { writeAccounts } from '../accounts/policy.ts'
import { Deletion, deleteAccount } from './deletion.ts'

export const privacyOperations: Operation[] = [
  operation({
    id: 'deleteAccount',
    method: 'delete',
    path: '/me',
    access: 'user',
    scope: writeAccounts,
    fresh: true,
    returns: Deletion,
    status: 202,
    summary: 'Delete your account: hide it at once, and erase it after some days',
    description:
      'Ends every login. Logging in before the account is erased cancels the deletion. The erasure is final; the handle ' +
      'stays taken for 90 days.',
    run: deleteAccount,
  }),
]

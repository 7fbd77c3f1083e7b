import { type Operation, operation } from '../../platform/http/operation.ts'
import { readAccounts, writeAccounts } from '../accounts/policy.ts'
import { MAX_LOGIN_DAYS, MAX_LOGINS, REFRESH_TOKEN_DAYS } from './lifetimes.ts'
import { endOtherSessions, endSession, listSessions, SessionPath, Sessions } from './own-sessions.ts'
import { loginOnly } from './policy.ts'

export const sessionOperations = [
  operation({
    id: 'listSessions',
    method: 'get',
    path: '/me/sessions',
    access: 'user',
    scope: readAccounts,
    login: true,
    returns: Sessions,
    summary: 'List your logins, the latest used first',
    description: `An account has at most ${MAX_LOGINS} logins. A login ends after ${REFRESH_TOKEN_DAYS} days without use, and after ${MAX_LOGIN_DAYS} days.`,
    run: listSessions,
  }),
  operation({
    id: 'endSession',
    method: 'delete',
    path: '/me/sessions/{sessionId}',
    access: 'user',
    scope: writeAccounts,
    login: true,
    params: SessionPath,
    returns: null,
    fails: ['not_found'],
    summary: 'End one of your logins',
    run: endSession,
  }),
  operation({
    id: 'endOtherSessions',
    method: 'delete',
    path: '/me/sessions',
    access: 'user',
    scope: writeAccounts,
    login: true,
    returns: null,
    noRpc: loginOnly,
    summary: 'End all of your logins except this one, and forget all devices',
    run: endOtherSessions,
  }),
] satisfies Operation[]

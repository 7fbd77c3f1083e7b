import { PageQuery, pageOf } from '../../platform/data/page.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { AuditQuery, listAudit, listMyAudit } from './entries.ts'
import { readAllAudit, readAudit } from './policy.ts'
import { AuditEntry } from './views.ts'

const AuditPage = pageOf('Audit', AuditEntry)

export const auditOperations = [
  operation({
    id: 'listMyAudit',
    method: 'get',
    path: '/me/audit',
    access: 'user',
    scope: readAudit,
    query: PageQuery,
    returns: AuditPage,
    summary:
      'List what happened to your account: logins, changes of its security, and actions of the staff, newest first',
    description:
      'An entry appears within seconds. For an action of the staff, it does not name the person; if the actor is unknown, it has no IP address.',
    run: listMyAudit,
  }),
  operation({
    id: 'listAudit',
    method: 'get',
    path: '/audit',
    access: 'admin',
    action: readAllAudit,
    scope: readAudit,
    query: AuditQuery,
    returns: AuditPage,
    summary: 'List the audit log, newest first',
    effect: 'Each call is an entry of the log',
    description: 'The filters can be combined. Every call is itself an entry of the log, with the action `audit-read`.',
    run: listAudit,
  }),
] satisfies Operation[]

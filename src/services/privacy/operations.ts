import { type Operation, operation, responder } from '../../platform/http/operation.ts'
import { writeAccounts } from '../accounts/policy.ts'
import { Deletion, deleteAccount } from './deletion.ts'
import { downloadExport, ExportPath } from './export-download.ts'
import { Export, ExportList, listExports, requestExport } from './exports.ts'
import { exportData } from './policy.ts'

export const privacyOperations = [
  operation({
    id: 'deleteAccount',
    whileSuspended: true,
    method: 'delete',
    path: '/me',
    access: 'user',
    scope: writeAccounts,
    fresh: true,
    returns: Deletion,
    status: 202,
    fails: ['conflict'],
    summary: 'Delete your account: it is hidden at once, and erased at `erasedAt`',
    description:
      'Ends every login. Logging in before the account is erased cancels the deletion. The erasure is final; the handle ' +
      'stays taken for 90 days.',
    run: deleteAccount,
  }),
  operation({
    id: 'requestExport',
    whileSuspended: true,
    method: 'post',
    path: '/me/exports',
    access: 'user',
    scope: exportData,
    fresh: true,
    returns: Export,
    status: 202,
    fails: ['quota_exceeded'],
    summary: 'Request an archive of all your data; an email says when it is ready',
    description:
      'While an archive is being prepared, a repeated request returns that one. An account may request one export in 24 ' +
      'hours; a failed one does not count.',
    run: requestExport,
  }),
  operation({
    id: 'listExports',
    whileSuspended: true,
    method: 'get',
    path: '/me/exports',
    access: 'user',
    scope: exportData,
    returns: ExportList,
    summary: 'List the exports that you requested within the last week, newest first',
    run: listExports,
  }),
  responder({
    id: 'downloadExport',
    whileSuspended: true,
    method: 'get',
    path: '/me/exports/{exportId}/file',
    restOnly: 'It returns bytes',
    effect: 'The audit log gets an entry',
    access: 'user',
    scope: exportData,
    fresh: true,
    params: ExportPath,
    mediaTypes: ['application/zip'],
    headers: { 'Content-Disposition': '`attachment`, with a file name' },
    summary: 'Download an export: a ZIP archive with JSON files, your images and an `index.html`',
    description: 'An archive can be downloaded for 24 hours.',
    respond: downloadExport,
  }),
] satisfies Operation[]

import type { Deletion, Export, ExportList } from '../../client/wire.ts'
import { call, download, get } from './api.ts'
import { endSession } from './session.ts'

export const loadExports = () => get<ExportList>('/me/exports')

export const requestExport = () => call<Export>('POST', '/me/exports')

export const downloadExport = ({ id }: Export) => download(`/me/exports/${id}/file`)

/** Hides the account at once. Logs out with a notice that says until when logging in keeps it. */
export async function deleteAccount(notice: (erasedAt: string) => string): Promise<void> {
  const { erasedAt } = await call<Deletion>('DELETE', '/me')
  await endSession(notice(erasedAt))
}

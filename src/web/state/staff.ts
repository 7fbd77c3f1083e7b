import { signal } from '@preact/signals'
import { client } from '../api/client.ts'
import { onAccountChange, sameAccount } from '../api/session.ts'

/** The views that only some members of the staff can open, by path; null until they are known. */
export const staffViews = signal<Record<string, string> | null>(null)
onAccountChange(() => {
  staffViews.value = null
})

/** Asks once per login what the account may do. */
export async function loadStaffViews(): Promise<void> {
  if (staffViews.value) return
  const isSame = sameAccount()
  const [{ role }, approving, analyzing] = await Promise.all([
    client.readIdentity(),
    client.explainMyAccess({ action: 'registrations:approve' }),
    client.explainMyAccess({ action: 'analytics:read' }),
  ])
  if (!isSame()) return
  staffViews.value = {
    ...(analyzing.allowed && { '/console': 'Console' }),
    ...(approving.allowed && { '/registrations': 'Registrations' }),
    ...(role === 'admin' && { '/access': 'Access' }),
  }
}

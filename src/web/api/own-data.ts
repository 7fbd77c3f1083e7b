import { client } from './client.ts'
import { logoutReason } from './session.ts'

/** Hides the account at once. Logs out with a notice that says until when logging in keeps it. */
export async function deleteAccount(notice: (erasedAt: string) => string): Promise<void> {
  const { erasedAt } = await client.deleteAccount()
  logoutReason.value = notice(erasedAt)
}

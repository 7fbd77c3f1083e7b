import { logOut } from '../api/auth.ts'
import { navigate } from '../state/location.ts'
import { reportError } from '../state/toasts.ts'
import { View } from '../ui/view.tsx'
import { DeletionForm } from './delete-account.tsx'
import { ExportSection } from './export-data.tsx'

/** All that a suspended person can do. */
export function Suspended() {
  return (
    <View title="Your account is suspended">
      <p class="context" role="status">
        A moderator suspended your account, so nobody sees it, and you cannot use it. Your data are still yours: you can
        take a copy of them, and delete the account. If the suspension is lifted, log out and log in again.
      </p>
      <ExportSection />
      <DeletionForm />
      <div class="actions">
        <button type="button" class="secondary" onClick={() => void logOut().then(() => navigate('/'), reportError)}>
          Log out
        </button>
      </div>
    </View>
  )
}

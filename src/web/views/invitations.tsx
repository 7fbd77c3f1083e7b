import { useSignal } from '@preact/signals'
import type { Invitation } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { day } from '../ui/time.tsx'
import { focusHeading, View } from '../ui/view.tsx'

/** Invites people, where only people with an invitation may register. */
export function Invitations() {
  const { data, error, load } = useData(() => client.listInvitations())
  const code = useSignal('')
  const invite = async () => {
    const created = await client.createInvitation()
    code.value = created.code
    await load()
  }
  return (
    <View title="Invitations">
      <SettingsNav />
      <section class="card settings" aria-label="Your invitations" aria-busy={!data.value && !error.value}>
        <h2>Invite somebody</h2>
        <p>Only people with an invitation can register here. Each code works once, for seven days.</p>
        {error.value !== null && <LoadError error={error.value} retry={load} />}
        {!data.value && error.value === null && <Loading />}
        <div role="status">
          {code.value && (
            <p class="notice">
              Copy this code now, because it is not shown again: <code>{code.value}</code>
            </p>
          )}
        </div>
        <ul class="rows">
          {(data.value?.items ?? []).map((invitation) => (
            <Row key={invitation.id} invitation={invitation} load={load} />
          ))}
        </ul>
        <div class="actions">
          <button type="button" onClick={() => void invite().catch(reportError)}>
            Create an invitation
          </button>
        </div>
      </section>
    </View>
  )
}

function Row({ invitation, load }: { invitation: Invitation; load: () => Promise<void> }) {
  const { createdAt, expiresAt, isUsed } = invitation
  const revoke = async () => {
    await client.revokeInvitation({ invitationId: invitation.id })
    await load()
    focusHeading()
    showToast('Invitation revoked')
  }
  return (
    <li class="row">
      <div>
        <b>Created on {day(createdAt)}</b>
        <p class="row-value">{isUsed ? 'Used' : `Works until ${day(expiresAt)}`}</p>
      </div>
      {!isUsed && (
        <button type="button" class="secondary" onClick={() => void revoke().catch(reportError)}>
          Revoke
        </button>
      )}
    </li>
  )
}

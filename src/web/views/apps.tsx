import { useSignal } from '@preact/signals'
import type { AllowedApp } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { Permissions } from '../ui/permissions.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { Ago, day } from '../ui/time.tsx'
import { focusHeading, View } from '../ui/view.tsx'
import { OwnApps } from './own-apps.tsx'

/** The apps that may act for the account, and those that the person has made. */
export function Apps() {
  const { data, error, load } = useData(() => client.listAllowedApps())
  const apps = data.value?.items ?? []
  return (
    <View title="Apps">
      <SettingsNav />
      <section class="card settings" aria-label="Apps that you allowed" aria-busy={!data.value && !error.value}>
        <h2>Apps that you allowed</h2>
        {error.value !== null && <LoadError error={error.value} retry={load} />}
        {!data.value && error.value === null && <Loading />}
        {data.value && apps.length === 0 && <p>No app may act for you.</p>}
        <ul class="rows">
          {apps.map((app) => (
            <Row key={app.id} app={app} load={load} />
          ))}
        </ul>
      </section>
      <OwnApps />
    </View>
  )
}

function Row({ app, load }: { app: AllowedApp; load: () => Promise<void> }) {
  const busy = useSignal(false)
  const { id, name, developer, permissions, allowedAt, lastUsedAt, isDisabled } = app
  const remove = async () => {
    const text = `${name} can no longer do anything as you. It keeps what it has read.`
    if (!(await askConfirmation(`Remove ${name}?`, text, 'Remove'))) return
    busy.value = true
    await client.removeAllowedApp({ appId: id }).finally(() => (busy.value = false))
    await load()
    focusHeading()
    showToast(`${name} was removed`)
  }
  return (
    <li class="row">
      <div>
        <b>{name}</b>
        <p class="row-value">{developer ? `Made by @${developer}` : 'Registered itself'}</p>
        {isDisabled && <p>Disabled by the staff of this server. It can do nothing as you.</p>}
        <Permissions permissions={permissions} />
        <p class="hint">
          Allowed on {day(allowedAt)}. {lastUsedAt ? <Used at={lastUsedAt} /> : 'Not connected.'}
        </p>
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={`Remove ${name}`}
        disabled={busy.value}
        onClick={() => void remove().catch(reportError)}
      >
        Remove
      </button>
    </li>
  )
}

function Used({ at }: { at: string }) {
  return (
    <>
      Last used: <Ago at={at} />
    </>
  )
}

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { client } from '../api/client.ts'
import { canPush, isSubscribed, subscribe, unsubscribe } from '../state/push.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { LoadError, useData } from '../ui/loading.tsx'
import { day } from '../ui/time.tsx'

/** The browsers that get pushes, and a switch for this one. */
export function PushDevices() {
  const { data, error, load } = useData(() => client.listPushSubscriptions())
  const remove = async (subscriptionId: string) => {
    await client.deletePushSubscription({ subscriptionId })
    await load()
    showToast('This browser gets no more pushes')
  }
  return (
    <section class="card settings" aria-label="Pushes">
      <h2>Pushes</h2>
      <p class="hint">A push shows a notification on your device while this page is closed.</p>
      <Switch load={load} />
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      <ul class="rows">
        {(data.value?.items ?? []).map(({ id, device, createdAt }) => (
          <li key={id} class="row">
            <div>
              <b>{device}</b>
              <p class="hint">Since {day(createdAt)}</p>
            </div>
            <button
              type="button"
              class="secondary"
              aria-label={`Send no more pushes to ${device}`}
              onClick={() => void remove(id).catch(reportError)}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Switch({ load }: { load: () => Promise<void> }) {
  const isOn = useSignal(false)
  useEffect(() => {
    isSubscribed().then((value) => {
      isOn.value = value
    }, reportError)
  }, [])
  if (!canPush()) return <p>This browser cannot show pushes.</p>
  const toggle = async () => {
    if (isOn.value) await unsubscribe()
    else if (!(await subscribe())) return showToast('Your browser or this server does not allow pushes')
    isOn.value = !isOn.value
    await load()
  }
  return (
    <label class="checkbox">
      <input type="checkbox" checked={isOn.value} onChange={() => void toggle().catch(reportError)} />
      <span>Send pushes to this browser</span>
    </label>
  )
}

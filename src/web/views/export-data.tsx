import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Export } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { saveFile } from '../ui/save-file.ts'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { exactTime } from '../ui/time.tsx'
import { View } from '../ui/view.tsx'

const POLL_INTERVAL_MS = 3_000

export function ExportData() {
  return (
    <View title="Your data">
      <SettingsNav />
      <ExportSection />
    </View>
  )
}

/** Requests a copy of the own data, and downloads it. */
export function ExportSection() {
  const { data, error, load } = useData(() => client.listExports())
  const exports = data.value?.items ?? []
  const isPreparing = exports.some(({ status }) => status === 'preparing')
  useEffect(() => {
    if (!isPreparing) return
    const timer = setInterval(() => void load(), POLL_INTERVAL_MS)
    return () => clearInterval(timer)
  }, [isPreparing])
  return (
    <section class="card settings" aria-label="A copy of your data" aria-busy={!data.value && !error.value}>
      <h2>A copy of your data</h2>
      <p>
        Everything that SocialConnect holds of you, in one zip file: your profile, posts, images, likes, follows and the
        rest, as pages to read and as JSON. It takes some minutes. We email you when it is ready, and you can download
        it for a day.
      </p>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      <ul class="rows" aria-live="polite">
        {exports.map((item) => (
          <Row key={item.id} item={item} />
        ))}
      </ul>
      {data.value && <RequestButton disabled={isPreparing} load={load} />}
    </section>
  )
}

function RequestButton({ disabled, load }: { disabled: boolean; load: () => Promise<void> }) {
  const busy = useSignal(false)
  const request = async () => {
    busy.value = true
    await client.requestExport().then(load).catch(reportError)
    busy.value = false
  }
  return (
    <div class="actions">
      <button type="button" disabled={disabled || busy.value} onClick={() => void request()}>
        Request a copy
      </button>
    </div>
  )
}

const states: Record<string, string> = {
  preparing: 'Being prepared…',
  ready: 'Ready',
  failed: 'Could not be prepared. Request another one.',
  expired: 'No longer available',
}

function Row({ item }: { item: Export }) {
  const busy = useSignal(false)
  const { status, createdAt, expiresAt, bytes } = item
  const size = bytes === null ? '' : ` · ${(bytes / 1_048_576).toFixed(1)} MB`
  const download = async () => {
    busy.value = true
    const save = async () => {
      saveFile(await client.downloadExport({ exportId: item.id }), `socialconnect-${createdAt.slice(0, 10)}.zip`)
      showToast('Your data were downloaded')
    }
    await save().catch(reportError)
    busy.value = false
  }
  return (
    <li class="row">
      <div>
        <b>{states[status] ?? status}</b>
        <p class="row-value">
          Requested on {exactTime(createdAt)}
          {size}
        </p>
        {status === 'ready' && expiresAt && <p class="hint">You can download it until {exactTime(expiresAt)}.</p>}
      </div>
      {status === 'ready' && (
        <button type="button" disabled={busy.value} onClick={() => void download()}>
          {busy.value ? 'Downloading…' : 'Download'}
        </button>
      )}
    </li>
  )
}

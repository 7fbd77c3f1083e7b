import { useSignal } from '@preact/signals'
import type { ApiKey } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { Ago, day } from '../ui/time.tsx'
import { focusHeading, View } from '../ui/view.tsx'
import { CreateApiKey, wordsOf } from './create-api-key.tsx'

/** The keys with which programs use the account. */
export function ApiKeys() {
  const { data, error, load } = useData(() => client.listApiKeys())
  const created = useSignal('')
  const add = async (key: string) => {
    created.value = key
    await load()
  }
  return (
    <View title="API keys">
      <SettingsNav />
      <section class="card settings" aria-label="Your API keys" aria-busy={!data.value && !error.value}>
        <h2>Your API keys</h2>
        <p>
          A program that has one of these keys uses your account, without your password. If you do not recognize a key,
          delete it and change your password.
        </p>
        <div role="status">{created.value && <NewKey value={created.value} />}</div>
        {error.value !== null && <LoadError error={error.value} retry={load} />}
        {!data.value && error.value === null && <Loading />}
        {data.value?.items.length === 0 && <p class="hint">You have no keys.</p>}
        <ul class="rows">
          {(data.value?.items ?? []).map((key) => (
            <Row key={key.id} item={key} load={load} />
          ))}
        </ul>
      </section>
      <CreateApiKey key={created.value} onCreated={add} />
    </View>
  )
}

function NewKey({ value }: { value: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    showToast('Copied')
  }
  return (
    <div class="notice secret">
      <p>Copy this key now, because it is not shown again:</p>
      <code>{value}</code>
      <button type="button" class="secondary" onClick={() => void copy().catch(reportError)}>
        Copy
      </button>
    </div>
  )
}

function Row({ item, load }: { item: ApiKey; load: () => Promise<void> }) {
  const { id, name, scopes, createdAt, expiresAt, lastUsedAt } = item
  const remove = async () => {
    const text = 'Programs that use it stop working at once.'
    if (!(await askConfirmation(`Delete the key “${name}”?`, text, 'Delete'))) return
    await client.deleteApiKey({ apiKeyId: id })
    await load()
    focusHeading()
    showToast('API key deleted')
  }
  return (
    <li class="row">
      <div>
        <b>{name}</b>
        <p class="row-value">{lastUsedAt ? <LastUse at={lastUsedAt} /> : 'Never used'}</p>
        <p class="hint">
          Created on {day(createdAt)}, works until {day(expiresAt)}. It may: {scopes.map(wordsOf).join('; ')}.
        </p>
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={`Delete ${name}`}
        onClick={() => void remove().catch(reportError)}
      >
        Delete
      </button>
    </li>
  )
}

function LastUse({ at }: { at: string }) {
  return (
    <>
      Last used: <Ago at={at} />
    </>
  )
}

import { type Signal, useSignal } from '@preact/signals'
import type { App, AppWithSecret } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { Cancelled } from '../api/errors.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { CheckboxField, EditActions, FormError } from '../ui/field.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { useForm } from '../ui/use-form.ts'
import { focusHeading } from '../ui/view.tsx'
import { AppFields, appFields, EditApp, typedApp } from './app-form.tsx'

/** For developers: the apps that the person has registered. */
export function OwnApps() {
  const { data, error, load } = useData(() => client.listApps())
  const shown = useSignal<AppWithSecret | null>(null)
  const registers = useSignal(false)
  return (
    <section class="card settings" aria-label="Apps that you made" aria-busy={!data.value && !error.value}>
      <h2>Apps that you made</h2>
      <p>
        For developers: an app acts for people who allow it, with OAuth 2.1. <a href="/docs/">API documentation</a>
      </p>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      <div role="status">
        {shown.value?.secret && (
          <p class="notice">
            Copy the secret of {shown.value.name} now, because it is not shown again:{' '}
            <code class="long">{shown.value.secret}</code>
          </p>
        )}
      </div>
      <ul class="rows">
        {(data.value?.items ?? []).map((app) => (
          <Row key={app.id} app={app} load={load} shown={shown} />
        ))}
      </ul>
      {registers.value ? (
        <Registration shown={shown} load={load} onDone={() => (registers.value = false)} />
      ) : (
        <div class="actions">
          <button type="button" class="secondary" onClick={() => (registers.value = true)}>
            Register an app
          </button>
        </div>
      )}
    </section>
  )
}

type Shown = { shown: Signal<AppWithSecret | null>; load: () => Promise<void> }

function Row({ app, shown, load }: Shown & { app: App }) {
  const edits = useSignal(false)
  const { id, name, kind, redirectUris, disabledReason } = app
  return (
    <li class="row">
      <div>
        <b>{name}</b>
        <p class="row-value">
          Client id: <code>{id}</code> ({kind})
        </p>
        <p class="hint long">{redirectUris.join(' ')}</p>
        {disabledReason !== null && <p>Disabled by the staff of this server: {disabledReason}</p>}
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={`Edit ${name}`}
        aria-expanded={edits.value}
        onClick={() => (edits.value = !edits.value)}
      >
        Edit
      </button>
      {kind === 'confidential' && (
        <button type="button" class="secondary" onClick={() => void renew(app, shown).catch(report)}>
          New secret
        </button>
      )}
      <button
        type="button"
        class="secondary"
        aria-label={`Delete ${name}`}
        onClick={() => void remove(app, load).catch(report)}
      >
        Delete
      </button>
      {edits.value && <EditApp app={app} load={load} onDone={() => (edits.value = false)} />}
    </li>
  )
}

function report(failure: unknown): void {
  if (!(failure instanceof Cancelled)) reportError(failure)
}

async function renew({ id, name }: App, shown: Shown['shown']): Promise<void> {
  const text = `The present secret of ${name} stops working at once.`
  if (!(await askConfirmation('Replace the secret?', text, 'Replace'))) return
  shown.value = await client.renewAppSecret({ appId: id })
  focusHeading()
}

async function remove({ id, name }: App, load: Shown['load']): Promise<void> {
  const text = `${name} is logged out for everyone who allowed it.`
  if (!(await askConfirmation(`Delete ${name}?`, text, 'Delete'))) return
  await client.deleteApp({ appId: id })
  await load()
  focusHeading()
  showToast(`${name} was deleted`)
}

function Registration({ shown, load, onDone }: Shown & { onDone: () => void }) {
  const form = useForm(async ({ value }) => {
    const kind = value('confidential') ? 'confidential' : 'public'
    shown.value = await client.registerApp({ ...typedApp(value), kind })
    await load()
    showToast('App registered')
    onDone()
  })
  return (
    <form class="stack" aria-label="Register an app" {...form.attributes}>
      <AppFields form={form} />
      <CheckboxField form={form} name="confidential">
        It runs on a server and can keep a secret
      </CheckboxField>
      <FormError form={form} shown={appFields} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}

import { useSignal } from '@preact/signals'
import type { Webhook, WebhookWithSecret } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { Cancelled } from '../api/errors.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { Link } from '../ui/link.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { day } from '../ui/time.tsx'
import { focusHeading, View } from '../ui/view.tsx'
import { CreateWebhook, EditWebhook, type Shown } from './webhook-form.tsx'

export const stateWords: Record<string, string> = {
  active: 'Active',
  paused: 'Paused',
  failing: 'Paused, because it has only failed for days',
  gone: 'Paused, because it answered that it is gone (410)',
}

/** For developers: where the events of the account are sent. */
export function Webhooks() {
  const { data, error, load } = useData(() => client.listWebhooks())
  const shown = useSignal<WebhookWithSecret | null>(null)
  return (
    <View title="Webhooks">
      <SettingsNav />
      <section class="card settings" aria-label="Your webhooks" aria-busy={!data.value && !error.value}>
        <h2>Your webhooks</h2>
        <p>For developers: events of your account are sent to your servers, as signed messages with ids only.</p>
        <div role="status">{shown.value && <Secret webhook={shown.value} />}</div>
        {error.value !== null && <LoadError error={error.value} retry={load} />}
        {!data.value && error.value === null && <Loading />}
        {data.value?.items.length === 0 && <p class="hint">You have no webhooks.</p>}
        <ul class="rows">
          {(data.value?.items ?? []).map((webhook) => (
            <Row key={webhook.id} webhook={webhook} load={load} shown={shown} />
          ))}
        </ul>
      </section>
      <CreateWebhook shown={shown} load={load} />
    </View>
  )
}

function Secret({ webhook: { url, secret } }: { webhook: WebhookWithSecret }) {
  const copy = async () => {
    await navigator.clipboard.writeText(secret)
    showToast('Copied')
  }
  return (
    <div class="notice secret">
      <p>Copy the secret of {new URL(url).host} now, because it is not shown again:</p>
      <code>{secret}</code>
      <button type="button" class="secondary" onClick={() => void copy().catch(reportError)}>
        Copy
      </button>
    </div>
  )
}

function Row({ webhook, shown, load }: Shown & { webhook: Webhook }) {
  const edits = useSignal(false)
  const { id, url, description, events, state, createdAt, formerSecretUntil } = webhook
  const { host } = new URL(url)
  const act = (run: () => Promise<unknown>) => () => void run().then(load).catch(report)
  return (
    <li class="row">
      <div>
        <b class="long">{url}</b>
        <p class="row-value">{stateWords[state] ?? state}</p>
        {description !== '' && <p>{description}</p>}
        <p class="hint">
          {events.join(', ')}. Created on {day(createdAt)}.
          {formerSecretUntil && ` The former secret signs until ${day(formerSecretUntil)} too.`}
        </p>
        <Link href={`/webhooks/${id}`}>Deliveries of {host}</Link>
      </div>
      <div class="row-actions">
        {state === 'active' ? (
          <Action label="Pause" of={host} run={act(() => client.pauseWebhook({ webhookId: id }))} />
        ) : (
          <Action label="Resume" of={host} run={act(() => client.resumeWebhook({ webhookId: id }))} />
        )}
        <Action label="Edit" of={host} run={() => (edits.value = !edits.value)} />
        <Action label="New secret" of={host} run={act(() => renew(webhook, shown))} />
        <Action label="Delete" of={host} run={act(() => remove(webhook))} />
      </div>
      {edits.value && <EditWebhook webhook={webhook} load={load} onDone={() => (edits.value = false)} />}
    </li>
  )
}

function Action({ label, of, run }: { label: string; of: string; run: () => void }) {
  return (
    <button type="button" class="secondary" aria-label={`${label}: ${of}`} onClick={run}>
      {label}
    </button>
  )
}

export function report(failure: unknown): void {
  if (!(failure instanceof Cancelled)) reportError(failure)
}

async function renew({ id }: Webhook, shown: Shown['shown']): Promise<void> {
  const text = 'For 24 hours, messages are signed with the present secret too.'
  if (!(await askConfirmation('Replace the secret?', text, 'Replace'))) return
  shown.value = await client.renewWebhookSecret({ webhookId: id })
  focusHeading()
}

async function remove({ id, url }: Webhook): Promise<void> {
  const text = 'Messages that wait are not sent, and the log of its deliveries is deleted.'
  if (!(await askConfirmation(`Delete the webhook at ${new URL(url).host}?`, text, 'Delete'))) return
  await client.deleteWebhook({ webhookId: id })
  focusHeading()
  showToast('Webhook deleted')
}

import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { WebhookDelivery, WebhookDeliveryDetails } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { createList, type List, reload } from '../state/list.ts'
import { showToast } from '../state/toasts.ts'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { Ago, exactTime } from '../ui/time.tsx'
import { usePolling } from '../ui/use-polling.ts'
import { View } from '../ui/view.tsx'
import { report, stateWords } from './webhooks.tsx'

const filters = { '': 'All', waiting: 'Waiting', delivered: 'Delivered', failed: 'Failed', dropped: 'Dropped' } as const
type Filter = keyof typeof filters
const POLL_MS = 5_000

/** The log of a webhook: what was sent, and what its server answered. */
export function WebhookDeliveries({ id }: { id: string }) {
  const { data, error, load } = useData(() => client.getWebhook({ webhookId: id }))
  const filter = useSignal<Filter>('')
  return (
    <View title="Deliveries">
      <SettingsNav />
      <section class="card settings" aria-label="The webhook">
        {error.value !== null && <LoadError error={error.value} retry={load} />}
        {!data.value && error.value === null && <Loading />}
        {data.value && (
          <>
            <b class="long">{data.value.url}</b>
            <p class="row-value">{stateWords[data.value.state] ?? data.value.state}</p>
          </>
        )}
        <Link href="/webhooks">All webhooks</Link>
        <fieldset class="actions">
          <legend class="visually-hidden">Show</legend>
          {(Object.keys(filters) as Filter[]).map((state) => (
            <button
              key={state}
              type="button"
              class={filter.value === state ? '' : 'secondary'}
              aria-pressed={filter.value === state}
              onClick={() => (filter.value = state)}
            >
              {filters[state]}
            </button>
          ))}
        </fieldset>
      </section>
      <Log key={filter.value} webhookId={id} state={filter.value} />
    </View>
  )
}

function Log({ webhookId, state }: { webhookId: string; state: Filter }) {
  const wanted = state === '' ? {} : { state }
  const list = useMemo(
    () => createList<WebhookDelivery>((query) => client.listWebhookDeliveries({ webhookId, ...wanted, ...query })),
    [webhookId, state],
  )
  useList(list)
  usePolling(async () => list.items.peek().length <= 20 && reload(list), POLL_MS, [list])
  const test = async () => {
    await client.testWebhook({ webhookId })
    await reload(list)
    showToast('Test message sent')
  }
  return (
    <section class="card settings" aria-label="Log">
      <div class="actions">
        <button type="button" onClick={() => void test().catch(report)}>
          Send test
        </button>
      </div>
      <ListView
        list={list}
        label="Deliveries"
        empty={<p>Nothing here yet.</p>}
        render={(item) => <Delivery item={item} list={list} />}
      />
    </section>
  )
}

function Delivery({ item, list }: { item: WebhookDelivery; list: List<WebhookDelivery> }) {
  const isOpen = useSignal(false)
  const { id, type, state, attempts, nextAttemptAt, lastStatus, createdAt } = item
  const replay = async () => {
    await client.replayWebhookDelivery({ deliveryId: id })
    await reload(list)
    showToast('Sent again')
  }
  return (
    <article class="delivery" aria-label={`${type} ${state}`}>
      <div class="delivery-head">
        <b>{type}</b>
        <span class="delivery-state">{state}</span>
        <Ago at={createdAt} />
      </div>
      <p class="hint">
        {attempts} {attempts === 1 ? 'attempt' : 'attempts'}
        {lastStatus !== null && `, last answer ${lastStatus}`}
        {nextAttemptAt !== null && `, next ${exactTime(nextAttemptAt)}`}
      </p>
      <div class="actions">
        {(state === 'delivered' || state === 'failed') && (
          <button type="button" class="secondary" onClick={() => void replay().catch(report)}>
            Replay
          </button>
        )}
        <button
          type="button"
          class="secondary"
          aria-expanded={isOpen.value}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          Attempts
        </button>
      </div>
      {isOpen.value && <Details key={`${attempts} ${state}`} id={id} />}
    </article>
  )
}

function Details({ id }: { id: string }) {
  const { data, error, load } = useData(() => client.getWebhookDelivery({ deliveryId: id }))
  if (error.value !== null) return <LoadError error={error.value} retry={load} />
  return data.value ? <Waterfall delivery={data.value} /> : <Loading />
}

/** One bar per attempt, as long as it took compared with the deadline of 15 seconds. */
function Waterfall({ delivery: { log, payload, answer } }: { delivery: WebhookDeliveryDetails }) {
  return (
    <>
      {log.length === 0 && <p class="hint">No attempt yet.</p>}
      <ol class="waterfall">
        {log.map(({ number, startedAt, durationMs, status, error }) => (
          <li key={number}>
            <span>{exactTime(startedAt)}</span>
            <meter min={0} max={15_000} value={durationMs} aria-label={`Attempt ${number}`} />
            <span>
              {status ?? error} in {durationMs} ms
            </span>
          </li>
        ))}
      </ol>
      {payload !== null && <Text label="Body" text={payload} />}
      {answer !== null && answer !== '' && <Text label="Last answer" text={answer} />}
    </>
  )
}

function Text({ label, text }: { label: string; text: string }) {
  return (
    <>
      <p class="hint">{label}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{text.slice(0, 4_000)}</pre>
    </>
  )
}

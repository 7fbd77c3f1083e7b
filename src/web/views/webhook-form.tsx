import type { Signal } from '@preact/signals'
import type { Webhook, WebhookWithSecret } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { InvalidField } from '../api/errors.ts'
import { showToast } from '../state/toasts.ts'
import { CheckboxField, EditActions, Field, FormError, SubmitButton } from '../ui/field.tsx'
import { type Form, useForm } from '../ui/use-form.ts'
import { focusHeading } from '../ui/view.tsx'

const eventWords = {
  'post.published': 'You publish a post or comment',
  'post.edited': 'Your post is edited',
  'post.deleted': 'Your post is deleted',
  'post.liked': 'Somebody likes your post',
  'post.commented': 'Somebody comments on your post',
  'post.mentioned': 'Somebody mentions you',
  'account.followed': 'Somebody follows you',
} as const
const eventNames = Object.keys(eventWords) as (keyof typeof eventWords)[]

function WebhookFields({ form, webhook }: { form: Form; webhook?: Webhook }) {
  return (
    <>
      <Field
        form={form}
        name="url"
        label="Address"
        hint="Begins with https://"
        defaultValue={webhook?.url}
        maxLength={2_000}
        required
      />
      <Field
        form={form}
        name="description"
        label="What it is for"
        defaultValue={webhook?.description ?? ''}
        maxLength={200}
      />
      <fieldset>
        <legend>Tell it when</legend>
        {eventNames.map((event) => (
          <CheckboxField key={event} form={form} name={event} checked={webhook?.events.includes(event)}>
            {eventWords[event]}
          </CheckboxField>
        ))}
      </fieldset>
    </>
  )
}

function typed(value: (name: string) => string) {
  const events = eventNames.filter((event) => value(event) !== '')
  if (events.length === 0) throw new InvalidField('events', 'must have at least one event')
  return { url: value('url').trim(), description: value('description'), events }
}

const fields = ['url', 'description']

export type Shown = { shown: Signal<WebhookWithSecret | null>; load: () => Promise<void> }

export function CreateWebhook({ shown, load }: Shown) {
  const form = useForm(async ({ value, element }) => {
    shown.value = await client.createWebhook(typed(value))
    element.reset()
    await load()
    focusHeading()
  })
  return (
    <section class="card settings" aria-label="Create a webhook">
      <h2>Create a webhook</h2>
      <form class="stack" aria-label="Create a webhook" {...form.attributes}>
        <WebhookFields form={form} />
        <FormError form={form} shown={fields} />
        <div class="actions">
          <SubmitButton form={form}>Create webhook</SubmitButton>
        </div>
      </form>
    </section>
  )
}

type Edit = { webhook: Webhook; load: () => Promise<void>; onDone: () => void }

export function EditWebhook({ webhook, load, onDone }: Edit) {
  const form = useForm(async ({ value }) => {
    await client.editWebhook({ webhookId: webhook.id, ...typed(value) })
    await load()
    showToast('Webhook changed')
    onDone()
  })
  return (
    <form class="stack" aria-label={`Edit ${new URL(webhook.url).host}`} {...form.attributes}>
      <WebhookFields form={form} webhook={webhook} />
      <FormError form={form} shown={fields} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}

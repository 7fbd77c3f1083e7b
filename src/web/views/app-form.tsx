import type { App } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { showToast } from '../state/toasts.ts'
import { EditActions, Field, FormError, TextAreaField } from '../ui/field.tsx'
import { type Form, useForm } from '../ui/use-form.ts'

/** What a developer writes about an app. */
export function AppFields({ form, app }: { form: Form; app?: App }) {
  return (
    <>
      <Field form={form} name="name" label="Name" defaultValue={app?.name} maxLength={50} required autofocus />
      <Field
        form={form}
        name="website"
        label="Website"
        defaultValue={app?.website ?? ''}
        hint="Begins with https://"
        maxLength={500}
      />
      <TextAreaField
        form={form}
        name="description"
        label="What it does"
        value={app?.description ?? ''}
        maxLength={300}
      />
      <TextAreaField
        form={form}
        name="redirectUris"
        label="Redirect addresses"
        hint="One per line: https://…, or http://127.0.0.1/… for a program on a device"
        value={app?.redirectUris.join('\n') ?? ''}
        maxLength={5_000}
      />
    </>
  )
}

export const appFields = ['name', 'website', 'description', 'redirectUris']

export function typedApp(value: (name: string) => string) {
  return {
    name: value('name'),
    website: value('website').trim(),
    description: value('description'),
    redirectUris: value('redirectUris').split(/\s+/).filter(Boolean),
  }
}

export function EditApp({ app, load, onDone }: { app: App; load: () => Promise<void>; onDone: () => void }) {
  const form = useForm(async ({ value }) => {
    await client.editApp({ appId: app.id, ...typedApp(value) })
    await load()
    showToast('App changed')
    onDone()
  })
  return (
    <form class="stack" aria-label={`Edit ${app.name}`} {...form.attributes}>
      <AppFields form={form} app={app} />
      <p class="hint">With other redirect addresses, people whom the app asks must allow it again.</p>
      <FormError form={form} shown={appFields} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}

import { client } from '../api/client.ts'
import { InvalidField } from '../api/errors.ts'
import { CheckboxField, Field, FormError, SelectField, SubmitButton } from '../ui/field.tsx'
import { useForm } from '../ui/use-form.ts'

const scopeWords: Record<string, string> = {
  'accounts:read': 'read accounts, followers and your blocks',
  'accounts:write': 'edit your profile, follow and block accounts',
  'posts:read': 'read posts, comments and feeds',
  'posts:write': 'publish, delete and like posts',
  'media:write': 'upload and describe images',
  'notifications:read': 'read your notifications',
  'notifications:write': 'mark your notifications as read',
  realtime: 'receive live updates',
  'audit:read': 'read the history of your account',
}

/** What a scope allows, in words. */
export const wordsOf = (scope: string) => scopeWords[scope] ?? scope

const lifetimes = { 7: 'A week', 30: '30 days', 90: '90 days', 365: 'A year' }

export function CreateApiKey({ onCreated }: { onCreated: (key: string) => Promise<void> }) {
  const form = useForm(async ({ value }) => {
    const scopes = Object.keys(scopeWords).filter((scope) => value(scope) !== '')
    if (scopes.length === 0) throw new InvalidField('scopes', 'must allow at least one thing')
    const { key } = await client.createApiKey({ name: value('name'), scopes, days: Number(value('days')) })
    await onCreated(key)
  })
  return (
    <section class="card settings" aria-label="Create a key">
      <h2>Create a key</h2>
      <form class="stack" aria-label="Create a key" {...form.attributes}>
        <Field form={form} name="name" label="Name" hint="What the key is for, such as “Weather bot”." required />
        <SelectField form={form} name="days" label="Works for" options={lifetimes} selected="90" />
        <fieldset>
          <legend>It may</legend>
          {Object.entries(scopeWords).map(([scope, words]) => (
            <CheckboxField key={scope} form={form} name={scope}>
              {words}
            </CheckboxField>
          ))}
        </fieldset>
        <FormError form={form} shown={['name']} />
        <div class="actions">
          <SubmitButton form={form}>Create key</SubmitButton>
        </div>
      </form>
    </section>
  )
}

import { useSignal } from '@preact/signals'
import type { AccessExplanation, AccessRoles, Account, AccountAccess, Grant } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { InvalidField } from '../api/errors.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { CheckboxField, Field, FormError, SelectField, SubmitButton, TextAreaField } from '../ui/field.tsx'
import { day } from '../ui/time.tsx'
import { useForm } from '../ui/use-form.ts'

type Shown = { account: Account; access: AccountAccess }

/** Looks up an account, and shows what it may do. */
export function AccountAccessSection({ roles }: { roles: AccessRoles }) {
  const shown = useSignal<Shown | null>(null)
  const form = useForm(async ({ value }) => {
    shown.value = null
    const account = await client.getAccountByHandle({ handle: value('handle') })
    shown.value = { account, access: await client.readAccess({ accountId: account.id }) }
  })
  const update = (access: AccountAccess) => {
    if (shown.value) shown.value = { ...shown.value, access }
    showToast('Saved')
  }
  return (
    <section class="card settings" aria-label="What an account may do">
      <h2>What an account may do</h2>
      <form class="stack" aria-label="Find an account" {...form.attributes}>
        <Field form={form} name="handle" label="Handle" maxLength={31} autocapitalize="none" required />
        <FormError form={form} shown={['handle']} />
        <div class="actions">
          <SubmitButton form={form}>Show</SubmitButton>
        </div>
      </form>
      {shown.value && <Details key={shown.value.account.id} shown={shown.value} roles={roles} onChange={update} />}
    </section>
  )
}

type DetailsProps = { shown: Shown; roles: AccessRoles; onChange: (access: AccountAccess) => void }

function Details({ shown: { account, access }, roles, onChange }: DetailsProps) {
  const load = async () => onChange(await client.readAccess({ accountId: account.id }))
  return (
    <>
      <p class="notice">
        @{account.handle} has the built-in role {access.roles[0]}.
      </p>
      <RolesForm access={access} roles={roles} onChange={onChange} />
      <AttributesForm access={access} onChange={onChange} />
      <Grants access={access} roles={roles} load={load} />
      <Why accountId={account.id} roles={roles} />
    </>
  )
}

type FormProps = { access: AccountAccess; onChange: (access: AccountAccess) => void }

function RolesForm({ access, roles, onChange }: FormProps & { roles: AccessRoles }) {
  const custom = roles.items.map(({ name }) => name).filter((name) => !['user', 'moderator', 'admin'].includes(name))
  const form = useForm(async ({ value }) => {
    const chosen = custom.filter((name) => value(name) !== '')
    onChange(await client.setAccountRoles({ accountId: access.accountId, roles: chosen }))
  })
  if (custom.length === 0) return null
  return (
    <form class="stack" aria-label="Roles of the account" {...form.attributes}>
      <fieldset>
        <legend>Roles</legend>
        {custom.map((name) => (
          <CheckboxField key={name} form={form} name={name} checked={access.roles.includes(name)}>
            {name}
          </CheckboxField>
        ))}
      </fieldset>
      <FormError form={form} />
      <div class="actions">
        <SubmitButton form={form}>Save roles</SubmitButton>
      </div>
    </form>
  )
}

function AttributesForm({ access, onChange }: FormProps) {
  const form = useForm(async ({ value }) => {
    const lines = value('attributes')
      .split('\n')
      .filter((line) => line.trim() !== '')
    const attributes = lines.map((line) => {
      const [, name = '', text = ''] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
      if (!name || !text) throw new InvalidField('attributes', 'must have lines like department = finance')
      return { name, value: text }
    })
    onChange(await client.setAttributes({ accountId: access.accountId, attributes }))
  })
  const text = access.attributes.map(({ name, value }) => `${name} = ${value}`).join('\n')
  return (
    <form class="stack" aria-label="Attributes of the account" {...form.attributes}>
      <TextAreaField
        form={form}
        name="attributes"
        label="Attributes"
        hint="One in each line, such as department = finance. Rules read them."
        value={text}
        maxLength={3_000}
      />
      <FormError form={form} shown={['attributes']} />
      <div class="actions">
        <SubmitButton form={form}>Save attributes</SubmitButton>
      </div>
    </form>
  )
}

const optionsOf = ({ actions }: AccessRoles) => Object.fromEntries(actions.map(({ name, allows }) => [name, allows]))

type GrantsProps = { access: AccountAccess; roles: AccessRoles; load: () => Promise<void> }

function Grants({ access, roles, load }: GrantsProps) {
  const form = useForm(async ({ value, element }) => {
    const until = value('until') ? new Date(`${value('until')}T00:00:00Z`).toISOString() : undefined
    await client.giveGrant({ accountId: access.accountId, action: value('action'), thing: value('thing'), until })
    element.reset()
    await load()
  })
  return (
    <>
      <h3>Grants</h3>
      {access.grants.length === 0 && <p class="hint">The account has no grants.</p>}
      <ul class="rows">
        {access.grants.map((grant) => (
          <GrantRow key={grant.id} grant={grant} load={load} />
        ))}
      </ul>
      <form class="stack" aria-label="Give a grant" {...form.attributes}>
        <SelectField form={form} name="action" label="Action" options={optionsOf(roles)} selected="posts:edit" />
        <Field form={form} name="thing" label="On" placeholder="post:456" maxLength={24} required />
        <Field form={form} name="until" label="Until" hint="A date like 2027-01-31; empty: without an end." />
        <FormError form={form} shown={['action', 'thing', 'until']} />
        <div class="actions">
          <SubmitButton form={form}>Give grant</SubmitButton>
        </div>
      </form>
    </>
  )
}

function GrantRow({ grant: { id, action, thing, until }, load }: { grant: Grant; load: () => Promise<void> }) {
  const revoke = async () => {
    await client.revokeGrant({ grantId: id })
    await load()
  }
  return (
    <li class="row">
      <div>
        <b>
          {action} on {thing}
        </b>
        <p class="row-value">{until ? `Until ${day(until)}` : 'Without an end'}</p>
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={`Revoke ${action} on ${thing}`}
        onClick={() => void revoke().catch(reportError)}
      >
        Revoke
      </button>
    </li>
  )
}

function Why({ accountId, roles }: { accountId: string; roles: AccessRoles }) {
  const answer = useSignal<AccessExplanation | null>(null)
  const form = useForm(async ({ value }) => {
    answer.value = await client.explainMyAccess({
      accountId,
      action: value('question'),
      thing: value('about') || undefined,
    })
  })
  return (
    <>
      <h3>Why may this account do that?</h3>
      <form class="stack" aria-label="Ask why" {...form.attributes}>
        <SelectField form={form} name="question" label="Action" options={optionsOf(roles)} selected="posts:edit" />
        <Field
          form={form}
          name="about"
          label="On"
          placeholder="post:456"
          hint="Empty: on nothing in particular."
          maxLength={24}
        />
        <FormError form={form} />
        <div class="actions">
          <SubmitButton form={form}>Ask</SubmitButton>
        </div>
      </form>
      <div role="status">
        {answer.value && (
          <p class="notice">
            <b>{answer.value.allowed ? 'Yes.' : 'No.'}</b> {answer.value.reason}
          </p>
        )}
      </div>
    </>
  )
}

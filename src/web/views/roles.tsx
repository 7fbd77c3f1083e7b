import { useSignal } from '@preact/signals'
import type { AccessRole, AccessRoles } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { CheckboxField, EditActions, Field, FormError } from '../ui/field.tsx'
import { type Form, useForm } from '../ui/use-form.ts'
import { focusHeading } from '../ui/view.tsx'

type Props = { roles: AccessRoles; load: () => Promise<void> }

export function RolesSection({ roles, load }: Props) {
  const adding = useSignal(false)
  const close = () => {
    adding.value = false
  }
  return (
    <section class="card settings" aria-label="Roles">
      <h2>Roles</h2>
      <p>A role allows actions on everything. The built-in roles never change.</p>
      <ul class="rows">
        {roles.items.map((role) => (
          <Row key={role.name} role={role} roles={roles} load={load} />
        ))}
      </ul>
      {adding.value ? (
        <RoleForm roles={roles} load={load} onDone={close} />
      ) : (
        <div class="actions">
          <button type="button" onClick={() => (adding.value = true)}>
            Make a role
          </button>
        </div>
      )}
    </section>
  )
}

function Row({ role, roles, load }: Props & { role: AccessRole }) {
  const editing = useSignal(false)
  const { name, description, permissions, isBuiltIn } = role
  return (
    <li class="row">
      <div>
        <b>{name}</b>
        <p class="row-value">{description}</p>
        <p class="hint">{permissions.join(', ') || 'No actions'}</p>
      </div>
      {!isBuiltIn && (
        <div class="actions">
          <button
            type="button"
            class="secondary"
            aria-label={`Edit ${name}`}
            aria-expanded={editing.value}
            onClick={() => (editing.value = !editing.value)}
          >
            Edit
          </button>
          <button
            type="button"
            class="secondary"
            aria-label={`Delete ${name}`}
            onClick={() => void remove(name, load).catch(reportError)}
          >
            Delete
          </button>
        </div>
      )}
      {editing.value && <RoleForm role={role} roles={roles} load={load} onDone={() => (editing.value = false)} />}
    </li>
  )
}

async function remove(name: string, load: () => Promise<void>): Promise<void> {
  if (!(await askConfirmation(`Delete the role ${name}?`, 'Everybody who has it loses it.', 'Delete'))) return
  await client.deleteRole({ roleName: name })
  await load()
  focusHeading()
  showToast(`Role ${name} deleted`)
}

/** Makes a role, or edits `role`. */
function RoleForm({ role, roles, load, onDone }: Props & { role?: AccessRole; onDone: () => void }) {
  const form = useForm(async ({ value }) => {
    const roleName = role?.name ?? value('roleName')
    const permissions = roles.actions.map(({ name }) => name).filter((name) => value(name) !== '')
    await client.putRole({ roleName, description: value('description'), permissions })
    await load()
    onDone()
    focusHeading()
    showToast(`Role ${roleName} saved`)
  })
  return (
    <form class="stack" aria-label={role ? `Edit ${role.name}` : 'Make a role'} {...form.attributes}>
      {!role && (
        <Field
          form={form}
          name="roleName"
          label="Name"
          hint="Letters a to z, digits, _ and -, such as editor."
          maxLength={30}
          autocapitalize="none"
          required
        />
      )}
      <Field
        form={form}
        name="description"
        label="Description"
        maxLength={200}
        defaultValue={role?.description ?? ''}
      />
      <Permissions form={form} role={role} roles={roles} />
      <FormError form={form} shown={['roleName', 'description']} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}

function Permissions({ form, role, roles }: { form: Form; role?: AccessRole | undefined; roles: AccessRoles }) {
  return (
    <fieldset>
      <legend>It allows</legend>
      {roles.actions.map(({ name, allows }) => (
        <CheckboxField key={name} form={form} name={name} checked={role?.permissions.includes(name)}>
          {allows} (<code>{name}</code>)
        </CheckboxField>
      ))}
    </fieldset>
  )
}

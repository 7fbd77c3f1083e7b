import { client } from '../api/client.ts'
import { InvalidField, isNotFound } from '../api/errors.ts'
import { inbox } from '../state/conversations.ts'
import { clear } from '../state/list.ts'
import { navigate } from '../state/location.ts'
import { Field, FormError, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

export function NewGroup() {
  const form = useForm(async ({ value }) => {
    const members = await Promise.all(handlesIn(value('members')).map(idOf))
    const group = await client.createGroup({ name: value('name'), members })
    clear(inbox)
    navigate(`/messages/${group.id}`)
  })
  return (
    <View title="New group">
      <p class="context">
        <Link href="/messages">All messages</Link>
      </p>
      <section class="card settings" aria-label="New group">
        <form class="stack" aria-label="New group" {...form.attributes}>
          <Field form={form} name="name" label="Name" maxLength={100} required />
          <Field
            form={form}
            name="members"
            label="Members"
            hint="Handles, such as @ada @grace. People who do not follow you get a request."
          />
          <FormError form={form} shown={['name', 'members']} />
          <div class="actions">
            <SubmitButton form={form}>Start the group</SubmitButton>
          </div>
        </form>
      </section>
    </View>
  )
}

export const handlesIn = (text: string) => text.split(/[\s,]+/).flatMap((handle) => handle.replace(/^@/, '') || [])

/** The id of the account with a handle, for the field `members` of a form. */
export async function idOf(handle: string): Promise<string> {
  const account = await client.getAccountByHandle({ handle }).catch((error: unknown) => {
    throw isNotFound(error) ? new InvalidField('members', `has a handle that nobody has: @${handle}`) : error
  })
  return account.id
}

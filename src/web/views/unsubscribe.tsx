import { ApiError } from '../../client/client.ts'
import { client } from '../api/client.ts'
import { InvalidField } from '../api/errors.ts'
import { DeadLink } from '../ui/dead-link.tsx'
import { FormError, SubmitButton } from '../ui/field.tsx'
import { Icon } from '../ui/icons.tsx'
import { Link } from '../ui/link.tsx'
import { View } from '../ui/view.tsx'
import { Done, useTokenForm } from './address-links.tsx'

/** Needs no login. The button is for programs that only follow links. */
export function Unsubscribe({ token }: { token: string }) {
  const { form, state } = useTokenForm(() => client.unsubscribeFromMails({ token }).catch(asInvalid))
  if (state.value === 'dead') return <DeadLink children={<Settings />} />
  if (state.value === 'done') {
    return (
      <Done title="You are unsubscribed">
        <p>You get no more mails about such notifications.</p>
        <Settings />
      </Done>
    )
  }
  return (
    <View title="Unsubscribe">
      <form class="card stack narrow-form centered" aria-label="Unsubscribe" {...form.attributes}>
        <Icon name="mail" />
        <p>You will get no more mails about notifications of the kinds in that mail. You still see them in the app.</p>
        <FormError form={form} />
        <SubmitButton form={form}>Unsubscribe</SubmitButton>
      </form>
    </View>
  )
}

function asInvalid(error: unknown): never {
  throw error instanceof ApiError && error.code === 'not_found'
    ? new InvalidField('token', 'is not from a mail')
    : error
}

const Settings = () => (
  <Link href="/security/notifications" class="button">
    Notification settings
  </Link>
)

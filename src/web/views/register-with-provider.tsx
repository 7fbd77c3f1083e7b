import { useSignal } from '@preact/signals'
import type { PendingRegistration } from '../../client/client.ts'
import { registerWithProvider } from '../api/providers.ts'
import { navigate } from '../state/location.ts'
import { loadRules, registrationRules } from '../state/registration-rules.ts'
import { Field, FormError, SubmitButton } from '../ui/field.tsx'
import { HandleField } from '../ui/handle-field.tsx'
import { Link } from '../ui/link.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { type Form, useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { MailSent } from './mail-sent.tsx'
import { ErrorView } from './not-found.tsx'
import { Closed, InvitationField, Terms } from './register.tsx'

type Props = { pending: PendingRegistration; provider: string }

const TITLE = 'Create an account'

/** The first login with an identity: the person chooses a handle, and needs no password. */
export function RegisterWithProvider(props: Props) {
  const ready = useSignal(false)
  const sentTo = useSignal('')
  const { error, retry } = useLoad(async () => {
    await loadRules()
    ready.value = true
  })
  if (sentTo.value) return <MailSent address={sentTo.value} />
  if (error.value) return <ErrorView title={TITLE} error={error.value} retry={retry} />
  if (ready.value && registrationRules.value.mode === 'closed') return <Closed />
  const sent = (email: string) => {
    sentTo.value = email
  }
  return <View title={TITLE}>{ready.value ? <RegistrationForm {...props} onSent={sent} /> : <Loading />}</View>
}

function RegistrationForm({ pending, provider, onSent }: Props & { onSent: (email: string) => void }) {
  const { mode, termsVersion } = registrationRules.value
  const { token, email, isEmailVerified } = pending
  const form = useForm(async ({ value }) => {
    const address = isEmailVerified ? (email ?? '') : value('email').trim()
    const tokens = await registerWithProvider({
      token,
      handle: value('handle').trim(),
      email: isEmailVerified ? undefined : address,
      invitation: value('invitation').trim() || undefined,
      termsVersion: termsVersion ?? undefined,
    })
    if (tokens) navigate('/')
    else onSent(address)
  })
  return (
    <form class="card stack narrow-form" aria-label={TITLE} {...form.attributes}>
      <p class="notice" role="status">
        {provider} has confirmed who you are. You need no password here.
      </p>
      {mode === 'approval' && <p class="notice">A moderator looks at your registration first.</p>}
      <Fields form={form} pending={pending} />
      <FormError form={form} shown={['handle', 'email', 'invitation', 'termsVersion']} />
      <SubmitButton form={form}>Create account</SubmitButton>
      <p class="aside">
        Already have an account? <Link href="/login">Log in</Link>, and link {provider} under “Security”.
      </p>
    </form>
  )
}

function Fields({ form, pending }: { form: Form; pending: PendingRegistration }) {
  const { handle, email, isEmailVerified } = pending
  const hint = 'Your public name: 3 to 30 letters, digits or underscores'
  return (
    <>
      {registrationRules.value.mode === 'invitation' && <InvitationField form={form} />}
      <HandleField form={form} label="Handle" hint={hint} value={handle ?? ''} />
      {isEmailVerified ? (
        <p class="hint">Emails go to {email}. You can change that later.</p>
      ) : (
        <Field
          form={form}
          name="email"
          label="Email"
          type="email"
          autocomplete="email"
          hint="We send a link to it. Never shown to others"
          defaultValue={email ?? ''}
          maxLength={254}
          required
        />
      )}
      <Terms form={form} />
    </>
  )
}

import { useSignal } from '@preact/signals'
import { register } from '../api/auth.ts'
import { loadRules, registrationRules } from '../state/registration-rules.ts'
import { CheckboxField, Field, FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { HandleField } from '../ui/handle-field.tsx'
import { Link } from '../ui/link.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { passwordHint } from '../ui/password-hint.ts'
import { ProviderButtons } from '../ui/provider-buttons.tsx'
import { Turnstile } from '../ui/turnstile.tsx'
import { type Form, useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { MailSent } from './mail-sent.tsx'
import { ErrorView } from './not-found.tsx'

const SHOWN = ['handle', 'email', 'password', 'invitation', 'termsVersion']

export function Register() {
  const ready = useSignal(false)
  const sentTo = useSignal('')
  const { error, retry } = useLoad(async () => {
    await loadRules()
    ready.value = true
  })
  const title = 'Create an account'
  if (sentTo.value) return <MailSent address={sentTo.value} />
  if (error.value) return <ErrorView title={title} error={error.value} retry={retry} />
  if (ready.value && registrationRules.value.mode === 'closed') return <Closed />
  return (
    <View title={title}>{ready.value ? <RegisterForm onSent={(email) => (sentTo.value = email)} /> : <Loading />}</View>
  )
}

export function Closed() {
  return (
    <View title="Registration is closed">
      <div class="card stack narrow-form centered">
        <p>Nobody can register here at the moment. You can read public posts without an account.</p>
        <Link href="/discover" class="button">
          Discover posts
        </Link>
        <p class="aside">
          Already have an account? <Link href="/login">Log in</Link>
        </p>
      </div>
    </View>
  )
}

function RegisterForm({ onSent }: { onSent: (email: string) => void }) {
  const { mode, termsVersion } = registrationRules.value
  const form = useForm(async ({ value }) => {
    const email = value('email').trim()
    await register({
      handle: value('handle').trim(),
      email,
      password: value('password'),
      invitation: value('invitation').trim() || undefined,
      termsVersion: termsVersion ?? undefined,
      turnstileToken: value('turnstileToken') || undefined,
    })
    onSent(email)
  })
  return (
    <form class="card stack narrow-form" aria-label="Create an account" {...form.attributes}>
      {mode === 'approval' && (
        <p class="notice">After you confirm your email, a moderator looks at your registration.</p>
      )}
      <RegistrationFields form={form} />
      <FormError form={form} shown={SHOWN} />
      <SubmitButton form={form}>Create account</SubmitButton>
      <ProviderButtons purpose="login" />
      <p class="aside">
        Already have an account? <Link href="/login">Log in</Link>
      </p>
    </form>
  )
}

function RegistrationFields({ form }: { form: Form }) {
  const { mode, minPasswordLength } = registrationRules.value
  return (
    <>
      {mode === 'invitation' && <InvitationField form={form} />}
      <HandleField form={form} label="Handle" hint="Your public name: 3 to 30 letters, digits or underscores" />
      <Field
        form={form}
        name="email"
        label="Email"
        type="email"
        autocomplete="email"
        hint="Used to log in, never shown to others"
        maxLength={254}
        required
      />
      <PasswordField
        form={form}
        name="password"
        label="Password"
        autocomplete="new-password"
        hint={passwordHint()}
        minLength={minPasswordLength}
        required
      />
      <Terms form={form} />
      <Turnstile form={form} action="register" />
    </>
  )
}

export function Terms({ form }: { form: Form }) {
  const { termsVersion, termsUrl } = registrationRules.value
  if (termsVersion === null) return null
  return (
    <CheckboxField form={form} name="termsVersion" required>
      I accept the{' '}
      {termsUrl ? (
        <a href={termsUrl} target="_blank" rel="noreferrer">
          terms
        </a>
      ) : (
        'terms'
      )}{' '}
      of {termsVersion}
    </CheckboxField>
  )
}

export function InvitationField({ form }: { form: Form }) {
  return (
    <Field
      form={form}
      name="invitation"
      label="Invitation"
      hint="The code that somebody with an account gave to you"
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      required
    />
  )
}

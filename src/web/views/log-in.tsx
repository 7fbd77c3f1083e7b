import { useSignal } from '@preact/signals'
import { isCode } from '../../client/client.ts'
import { logIn } from '../api/auth.ts'
import { logoutReason } from '../api/session.ts'
import { navigate } from '../state/location.ts'
import { showToast } from '../state/toasts.ts'
import { FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { IdentifierField } from '../ui/identifier-field.tsx'
import { Link } from '../ui/link.tsx'
import { Turnstile } from '../ui/turnstile.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

export function LogIn() {
  return (
    <View title="Log in">
      <LogInForm />
    </View>
  )
}

export function LogInForm({ note = logoutReason.value }: { note?: string }) {
  // Only after too many wrong passwords, from whomever: people who know theirs should not have to prove anything.
  const isChallenged = useSignal(false)
  const form = useForm(async ({ value }) => {
    const turnstileToken = value('turnstileToken') || undefined
    const credentials = { identifier: value('identifier').trim(), password: value('password'), turnstileToken }
    const { deletionCancelled } = await logIn(credentials).catch((error: unknown) => {
      isChallenged.value ||= isCode(error, 'login_challenge_required')
      throw error
    })
    navigate('/')
    if (deletionCancelled) showToast('Welcome back. Your account will not be deleted.')
  })
  return (
    <form class="card stack narrow-form" aria-label="Log in" {...form.attributes}>
      {note && (
        <p class="notice" role="status">
          {note}
        </p>
      )}
      <IdentifierField form={form} />
      <PasswordField form={form} name="password" label="Password" autocomplete="current-password" required />
      {isChallenged.value && <Turnstile form={form} action="login" />}
      <FormError form={form} shown={['identifier', 'password']} />
      <SubmitButton form={form}>Log in</SubmitButton>
      <p class="aside">
        <Link href="/forgot">Forgot your password?</Link>
      </p>
      <Link href="/register" class="button secondary">
        Create an account
      </Link>
    </form>
  )
}

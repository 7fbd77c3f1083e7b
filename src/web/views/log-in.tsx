import { useSignal } from '@preact/signals'
import { ApiError, isCode, type SecondFactor, type Tokens } from '../../client/client.ts'
import { logIn, logInWithPasskey } from '../api/auth.ts'
import { hasPasskeys } from '../api/passkeys.ts'
import { logoutReason } from '../api/session.ts'
import { navigate } from '../state/location.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { IdentifierField } from '../ui/identifier-field.tsx'
import { Link } from '../ui/link.tsx'
import { ProviderButtons } from '../ui/provider-buttons.tsx'
import { Turnstile } from '../ui/turnstile.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { SecondStep } from './second-step.tsx'

export function LogIn() {
  return (
    <View title="Log in">
      <LogInForm />
    </View>
  )
}

function welcome({ deletionCancelled }: Tokens): void {
  navigate('/')
  if (deletionCancelled) showToast('Welcome back. Your account will not be deleted.')
}

export function LogInForm({ note = logoutReason.value }: { note?: string }) {
  const waiting = useSignal<{ secondFactor: SecondFactor; name: string } | null>(null)
  const restart = () => {
    waiting.value = null
  }
  if (waiting.value) return <SecondStep {...waiting.value} onDone={welcome} onCancel={restart} />
  const wait = (secondFactor: SecondFactor, name: string) => {
    waiting.value = { secondFactor, name }
  }
  return <FirstStep note={note} onSecondFactor={wait} />
}

type FirstProps = { note: string; onSecondFactor: (needed: SecondFactor, name: string) => void }

function FirstStep({ note, onSecondFactor }: FirstProps) {
  // Only after too many wrong passwords, from whomever: people who know theirs should not have to prove anything.
  const isChallenged = useSignal(false)
  const form = useForm(async ({ value }) => {
    const turnstileToken = value('turnstileToken') || undefined
    const identifier = value('identifier').trim()
    await logIn({ identifier, password: value('password'), turnstileToken }).then(welcome, (error: unknown) => {
      isChallenged.value ||= isCode(error, 'login_challenge_required')
      if (!(error instanceof ApiError && error.secondFactor)) throw error
      onSecondFactor(error.secondFactor, identifier.replace(/^[@＠]/, '').toLowerCase())
    })
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
      {hasPasskeys() && <PasskeyButton />}
      <ProviderButtons purpose="login" />
      <p class="aside">
        <Link href="/forgot">Forgot your password?</Link>
      </p>
      <Link href="/register" class="button secondary">
        Create an account
      </Link>
    </form>
  )
}

function PasskeyButton() {
  const run = () => logInWithPasskey().then(welcome)
  return (
    <button type="button" class="secondary" onClick={() => void run().catch(reportError)}>
      Log in with a passkey
    </button>
  )
}

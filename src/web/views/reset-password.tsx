import { useSignal } from '@preact/signals'
import { hasFieldError } from '../api/errors.ts'
import { resetPassword } from '../api/recovery.ts'
import { DeadLink } from '../ui/dead-link.tsx'
import { FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { MIN_LENGTH_WITH_FACTOR, replacedPasswordHint } from '../ui/password-hint.ts'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { LogInForm } from './log-in.tsx'

export function ResetPassword({ token }: { token: string }) {
  const state = useSignal<'open' | 'done' | 'dead'>('open')
  const form = useForm(async ({ value }) => {
    try {
      await resetPassword({ token, password: value('password') })
      state.value = 'done'
    } catch (error) {
      if (!hasFieldError(error, 'token')) throw error
      state.value = 'dead'
    }
  })
  if (state.value === 'dead') return <AskAgain />
  if (state.value === 'done') return <PasswordReset />
  return (
    <View title="Choose a new password">
      <form class="card stack narrow-form" aria-label="Choose a new password" {...form.attributes}>
        <p>Every device that is logged in to your account will be logged out.</p>
        <PasswordField
          form={form}
          name="password"
          label="New password"
          autocomplete="new-password"
          hint={replacedPasswordHint()}
          minLength={MIN_LENGTH_WITH_FACTOR}
          required
        />
        <FormError form={form} shown={['password']} />
        <SubmitButton form={form}>Save password</SubmitButton>
      </form>
    </View>
  )
}

function AskAgain() {
  return (
    <DeadLink>
      <Link href="/forgot" class="button">
        Ask for a new link
      </Link>
    </DeadLink>
  )
}

function PasswordReset() {
  return (
    <View title="Your password was changed">
      <LogInForm note="Log in with your new password." />
    </View>
  )
}

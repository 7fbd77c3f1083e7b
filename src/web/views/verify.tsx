import { useSignal } from '@preact/signals'
import { isCode } from '../../client/client.ts'
import { verify } from '../api/auth.ts'
import { hasFieldError } from '../api/errors.ts'
import { navigate } from '../state/location.ts'
import { DeadLink } from '../ui/dead-link.tsx'
import { FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { ErrorView } from './not-found.tsx'

const TITLE = 'Confirm your email'

/** Verifies the address at once in the browser that registered. Elsewhere the link alone must not be enough. */
export function Verify({ token }: { token: string }) {
  const state = useSignal<'trying' | 'asking' | 'waiting' | 'dead'>('trying')
  const attempt = async (password?: string) => {
    try {
      await verify({ token, password })
      navigate('/')
    } catch (error) {
      if (hasFieldError(error, 'token')) state.value = 'dead'
      else if (hasFieldError(error, 'password') && password === undefined) state.value = 'asking'
      else if (isCode(error, 'awaiting_approval')) state.value = 'waiting'
      else throw error
    }
  }
  const { error, retry } = useLoad(attempt)
  if (state.value === 'dead') return <RegisterAgain />
  if (state.value === 'waiting') return <WaitForApproval />
  if (state.value === 'asking') return <AskPassword confirm={attempt} />
  if (error.value) return <ErrorView title={TITLE} error={error.value} retry={retry} />
  return <View title={TITLE} children={<Loading />} />
}

function AskPassword({ confirm }: { confirm: (password: string) => Promise<void> }) {
  const form = useForm(({ value }) => confirm(value('password')))
  return (
    <View title={TITLE}>
      <form class="card stack narrow-form" aria-label="Confirm your email" {...form.attributes}>
        <PasswordField
          form={form}
          name="password"
          label="Password"
          autocomplete="current-password"
          hint="The password you chose when you registered in another browser"
          required
        />
        <FormError form={form} shown={['password']} />
        <SubmitButton form={form}>Confirm</SubmitButton>
        <p class="aside">
          Not working? <Link href="/register">Register again</Link>
        </p>
      </form>
    </View>
  )
}

function WaitForApproval() {
  return (
    <View title="Your email is confirmed">
      <div class="card stack narrow-form centered" role="status">
        <p>A moderator looks at your registration now. We email you once you can log in.</p>
        <Link href="/discover" class="button">
          Discover posts
        </Link>
      </div>
    </View>
  )
}

function RegisterAgain() {
  return (
    <DeadLink>
      <Link href="/login" class="button">
        Log in
      </Link>
      <p class="aside">
        Never got in? <Link href="/register">Register again</Link>
      </p>
    </DeadLink>
  )
}

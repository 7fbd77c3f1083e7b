import { useSignal } from '@preact/signals'
import { ApiError, type PendingRegistration, type SecondFactor, type Tokens } from '../../client/client.ts'
import type { SecondFactors } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { errorText } from '../api/error-text.ts'
import { finishFlow, logInWithProvider, type Started, takeFlow } from '../api/providers.ts'
import { navigate } from '../state/location.ts'
import type { ProviderAnswer } from '../state/provider-answer.ts'
import { showToast } from '../state/toasts.ts'
import { CodeField, FormError, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { RegisterWithProvider } from './register-with-provider.tsx'
import { SecondStep } from './second-step.tsx'

const started = takeFlow()
const DONE = {
  login: '',
  link: 'was linked to your account',
  confirm: 'has confirmed that it is you. Please try again',
}

function welcome({ deletionCancelled }: Tokens): void {
  navigate('/')
  if (deletionCancelled) showToast('Welcome back. Your account will not be deleted.')
}

/** Finishes what was started at an identity provider: a login, a registration, a link or a confirmation. */
export function ProviderCallback({ answer }: { answer: ProviderAnswer }) {
  const pending = useSignal<PendingRegistration | null>(null)
  const secondFactor = useSignal<SecondFactor | null>(null)
  const asksCode = useSignal<SecondFactors | null>(null)
  const { error } = useLoad(async () => {
    if (started?.purpose === 'confirm' && !answer.error) {
      const factors = await client.readSecondFactors()
      if (factors.totpSince !== null || factors.passkeys > 0) {
        asksCode.value = factors
        return
      }
    }
    await finish(requireStarted(answer), answer).catch((failure: unknown) => {
      if (!(failure instanceof ApiError)) throw failure
      pending.value = failure.registration ?? null
      secondFactor.value = failure.secondFactor ?? null
      if (!failure.registration && !failure.secondFactor) throw failure
    })
  })
  if (asksCode.value && started) return <CodeStep begun={started} answer={answer} factors={asksCode.value} />
  if (pending.value) return <RegisterWithProvider pending={pending.value} provider={started?.provider ?? ''} />
  if (secondFactor.value) {
    const again = () => navigate('/login')
    const step = <SecondStep secondFactor={secondFactor.value} name="" onDone={welcome} onCancel={again} />
    return <View title="Log in">{step}</View>
  }
  if (error.value) return <Failed error={error.value} />
  return <View title="One moment" children={<Loading />} />
}

function requireStarted({ error }: ProviderAnswer): Started {
  if (started === null) throw new Error('This login was not started in this tab, or was finished already.')
  if (error === 'access_denied') throw new Error(`You did not agree at ${started.provider}. Nothing has changed.`)
  if (error) throw new Error(`${started.provider} reports an error: ${error}.`)
  return started
}

type CodeStepProps = { begun: Started; answer: ProviderAnswer; factors: SecondFactors }

/** Confirms a login of an account that has a second factor: the provider stands for the password only. */
function CodeStep({ begun, answer, factors }: CodeStepProps) {
  const form = useForm(async ({ value }) => finish(begun, answer, value('code').trim()))
  return (
    <View title="Confirm that it is you">
      <form class="card stack narrow-form" aria-label="Second step" {...form.attributes}>
        <p>{begun.provider} has confirmed who you are. Now enter a code of your second factor.</p>
        <CodeField form={form} withApp={factors.totpSince !== null} />
        <FormError form={form} shown={['code']} />
        <SubmitButton form={form}>Continue</SubmitButton>
      </form>
    </View>
  )
}

async function finish(begun: Started, answer: ProviderAnswer, code?: string): Promise<void> {
  const { purpose, provider, from } = begun
  if (purpose === 'login') return welcome(await logInWithProvider(begun, answer))
  await finishFlow(begun, answer, code)
  navigate(from)
  showToast(`${provider} ${DONE[purpose]}`)
}

function Failed({ error }: { error: unknown }) {
  const isLogin = started?.purpose !== 'link' && started?.purpose !== 'confirm'
  return (
    <View title={isLogin ? 'You are not logged in' : 'Nothing was changed'}>
      <div class="card stack narrow-form centered" role="alert">
        <p>{errorText(error)}</p>
        <Link href={isLogin ? '/login' : (started?.from ?? '/')} class="button">
          {isLogin ? 'Log in' : 'Go back'}
        </Link>
      </div>
    </View>
  )
}

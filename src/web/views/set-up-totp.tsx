import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { TotpSecret } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { InvalidField, instead } from '../api/errors.ts'
import { showToast } from '../state/toasts.ts'
import { Field, FormError, SubmitButton } from '../ui/field.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { useForm } from '../ui/use-form.ts'
import type { OnCodes } from './recovery-codes.tsx'

type Props = { onCodes: OnCodes; onDone: () => void }

/** Shows the secret as a QR code, and asks for the first code. */
export function SetUpTotp(props: Props) {
  const { data, error, load } = useData(() => client.startTotp())
  return (
    <div class="set-up">
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {data.value && <FirstCode totp={data.value} {...props} />}
    </div>
  )
}

function FirstCode({ totp, onCodes, onDone }: Props & { totp: TotpSecret }) {
  const form = useForm(async ({ value }) => {
    const wrong = new InvalidField('code', 'is wrong. Check that the clock of your device is right')
    const confirmed = client.confirmTotp({ code: value('code').trim() }).catch(instead('invalid_credentials', wrong))
    await onCodes((await confirmed).recoveryCodes)
    showToast('Authenticator app set up')
    onDone()
  })
  return (
    <form class="stack" aria-label="Set up an authenticator app" {...form.attributes}>
      <p>Scan this with an authenticator app, or type the key into it.</p>
      <QrCode text={totp.uri} />
      <p>
        Key: <code class="key">{totp.secret}</code>
      </p>
      <Field
        form={form}
        name="code"
        label="Code"
        hint="The six digits that the app shows now"
        inputMode="numeric"
        autocomplete="one-time-code"
        maxLength={20}
        required
        autofocus
      />
      <FormError form={form} shown={['code']} />
      <div class="actions">
        <button type="button" class="secondary" onClick={onDone}>
          Cancel
        </button>
        <SubmitButton form={form}>Turn on</SubmitButton>
      </div>
    </form>
  )
}

/** Black on white in the dark mode too, because some apps cannot read it otherwise. */
function QrCode({ text }: { text: string }) {
  const drawing = useSignal<{ size: number; path: string } | null>(null)
  useEffect(() => {
    void import('uqr').then(({ encode }) => {
      const { data, size } = encode(text, { border: 2 })
      const dots = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
      drawing.value = { size, path: dots.join('') }
    })
  }, [text])
  if (!drawing.value) return null
  const { size, path } = drawing.value
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code for an authenticator app">
      <path d={path} />
    </svg>
  )
}

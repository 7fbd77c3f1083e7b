import { signal } from '@preact/signals'
import { reasonOf } from './announce.tsx'
import { navigate, View } from './router.tsx'
import { verify } from './sign-in.ts'
import { useRead } from './timeline.tsx'

/** The token of the mail's link, `/?verify=TOKEN`; it is taken out of the address, and so of the history, at once. */
export const verification = signal(new URLSearchParams(window.location.search).get('verify'))
if (verification.value) history.replaceState(null, '', '/')

export function Verify({ token }: { token: string }) {
  const { failure } = useRead(async () => {
    await verify(token)
    verification.value = null
    navigate('/')
  })
  const leave = () => {
    verification.value = null
    navigate('/login')
  }
  return (
    <View title="Confirming your address">
      <div class="card stack narrow-form">
        {failure.value ? <p role="alert">{reasonOf(failure.value)}</p> : <p role="status">One moment…</p>}
        {failure.value !== null && (
          <button type="button" class="secondary" onClick={leave}>
            Go to log in
          </button>
        )}
      </div>
    </View>
  )
}

import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { loadRules, registrationRules } from '../state/registration-rules.ts'
import { reportError } from '../state/toasts.ts'
import type { Form } from './use-form.ts'

type Widget = { sitekey: string; action: string; callback: (token: string) => void; 'expired-callback': () => void }
type Api = { render: (place: HTMLElement, widget: Widget) => string; reset: (id: string) => void }

const SCRIPT = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit'

let loading: Promise<Api> | null = null

/** Loads the script of Turnstile once. Nothing is loaded from another server where Turnstile is not configured. */
function loadApi(): Promise<Api> {
  loading ??= new Promise<Api>((resolve, reject) => {
    const script = document.createElement('script')
    script.src = SCRIPT
    script.onload = () => resolve((window as unknown as { turnstile: Api }).turnstile)
    script.onerror = () => {
      loading = null
      script.remove()
      reject(new Error('The check that you are a person could not be loaded. Check your connection and try again.'))
    }
    document.head.append(script)
  })
  return loading
}

/** Proves that a person fills in the form, where the server requires it. Adds the field `turnstileToken`. */
export function Turnstile({ form, action }: { form: Form; action: 'register' | 'reset' | 'login' }) {
  useEffect(() => void loadRules().catch(reportError), [])
  const siteKey = registrationRules.value.turnstileSiteKey
  return siteKey === null ? null : <Challenge form={form} action={action} siteKey={siteKey} />
}

function Challenge({ form, action, siteKey }: { form: Form; action: string; siteKey: string }) {
  const place = useRef<HTMLDivElement>(null)
  const token = useSignal('')
  const reset = useSignal(() => {})
  useEffect(() => {
    const forget = () => {
      token.value = ''
    }
    const callback = (value: string) => {
      token.value = value
    }
    loadApi().then((api) => {
      if (!place.current) return
      const id = api.render(place.current, { sitekey: siteKey, action, callback, 'expired-callback': forget })
      reset.value = () => api.reset(id)
    }, reportError)
  }, [siteKey])
  // A token works once, so the next attempt needs another one.
  useSignalEffect(() => {
    if (form.error.value === null) return
    token.value = ''
    reset.peek()()
  })
  return (
    <div>
      <div ref={place} class="turnstile" />
      <input type="hidden" name="turnstileToken" value={token.value} />
    </div>
  )
}

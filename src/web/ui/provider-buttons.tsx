import { useEffect } from 'preact/hooks'
import { goToProvider } from '../api/providers.ts'
import { loadProviders, loginProviders } from '../state/login-providers.ts'
import { reportError } from '../state/toasts.ts'

/** A button for each provider with which people can log in. Nothing where there is none. */
export function ProviderButtons({ purpose }: { purpose: 'login' | 'confirm' }) {
  useEffect(() => void loadProviders(), [])
  return (
    <>
      {loginProviders.value.map((provider) => (
        <button
          key={provider.id}
          type="button"
          class="secondary"
          onClick={() => void goToProvider(provider, purpose).catch(reportError)}
        >
          {purpose === 'login' ? 'Continue' : 'Confirm'} with {provider.name}
        </button>
      ))}
    </>
  )
}

import { useEffect } from 'preact/hooks'
import type { ProviderLinks } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { goToProvider } from '../api/providers.ts'
import { loadProviders, loginProviders } from '../state/login-providers.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { Ago, day } from '../ui/time.tsx'
import { focusHeading } from '../ui/view.tsx'

type ProviderLink = ProviderLinks['items'][number]

/** The identities at providers with which the person can log in. Nothing where there are no providers. */
export function LinkedProviders() {
  const { data, error, load } = useData(() => client.listProviderLinks())
  useEffect(() => void loadProviders(), [])
  const links = data.value?.items ?? []
  if (loginProviders.value.length === 0 && links.length === 0) return null
  return (
    <section class="card settings" aria-label="Other ways to log in" aria-busy={!data.value && !error.value}>
      <h2>Other ways to log in</h2>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {links.length > 0 && (
        <ul class="rows">
          {links.map((link) => (
            <Row key={link.id} link={link} load={load} />
          ))}
        </ul>
      )}
      <div class="actions">
        {loginProviders.value.map((provider) => (
          <button
            key={provider.id}
            type="button"
            class="secondary"
            onClick={() => void goToProvider(provider, 'link').catch(reportError)}
          >
            {links.some((link) => link.provider === provider.name) ? 'Link another' : 'Link'} {provider.name}
          </button>
        ))}
      </div>
    </section>
  )
}

function Row({ link, load }: { link: ProviderLink; load: () => Promise<void> }) {
  const { id, provider, linkedAt, lastUsedAt } = link
  const unlink = async () => {
    if (!(await askConfirmation(`Unlink ${provider}?`, 'You can no longer log in with it.', 'Unlink'))) return
    await client.unlinkProvider({ linkId: id })
    await load()
    focusHeading()
    showToast(`${provider} was unlinked`)
  }
  return (
    <li class="row">
      <div>
        <b>{provider}</b>
        <p class="row-value">
          Last used: <Ago at={lastUsedAt} />
        </p>
        <p class="hint">Linked on {day(linkedAt)}</p>
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={`Unlink ${provider}`}
        onClick={() => void unlink().catch(reportError)}
      >
        Unlink
      </button>
    </li>
  )
}

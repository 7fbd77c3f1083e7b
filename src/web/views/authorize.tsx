import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { AppAuthorization } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { Cancelled } from '../api/errors.ts'
import { session } from '../api/session.ts'
import { appRequest, resumeRequest, waitForLogin } from '../state/app-request.ts'
import { reportError } from '../state/toasts.ts'
import { Link } from '../ui/link.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { Permissions } from '../ui/permissions.tsx'
import { View } from '../ui/view.tsx'
import { LogInForm } from './log-in.tsx'

/** An app asks to act for the person, who allows or declines. */
export function Authorize() {
  const request = appRequest()
  const { data, error, load } = useData(async () => {
    const asked = await client.readAuthorization({ request })
    const accountId = session.value?.id
    if (asked.next === 'return') leaveTo(asked.returnTo)
    if (asked.next !== 'repeat' || accountId === undefined) return asked
    const { returnTo } = await client.repeatAuthorization({ request, accountId })
    return leaveTo(returnTo) ?? { ...asked, next: 'return' }
  })
  const asked = data.value
  return (
    <View title="Allow an app">
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {error.value === null && asked?.next !== 'ask' && asked?.next !== 'refuse' && <Loading />}
      {asked?.next === 'refuse' && <Refused asked={asked} />}
      {asked?.next === 'ask' && (session.value ? <Consent asked={asked} request={request} /> : <First asked={asked} />)}
    </View>
  )
}

function leaveTo(url: string): null {
  window.location.assign(url)
  return null
}

/** Before the login. */
function First({ asked }: { asked: AppAuthorization }) {
  useEffect(waitForLogin, [])
  return <LogInForm note={`${asked.app.name} asks to act for you. Log in to see what it asks for.`} />
}

/** An app that nobody has allowed cannot use this page to send people elsewhere. */
function Refused({ asked: { app, returnTo } }: { asked: AppAuthorization }) {
  return (
    <section class="card settings" aria-label={app.name}>
      <h2>{app.name}</h2>
      <p>
        <b>{app.name}</b> wants to act for you without asking, but you have not allowed it yet.
      </p>
      <a href={returnTo} rel="noreferrer">
        Return to {new URL(returnTo).host}
      </a>
    </section>
  )
}

function Consent({ asked, request }: { asked: AppAuthorization; request: string }) {
  const busy = useSignal(false)
  const { app, permissions, returnTo } = asked
  const account = session.value
  if (!account) return null
  const allow = async () => {
    busy.value = true
    const approval = await client.allowApp({ request, accountId: account.id }).finally(() => (busy.value = false))
    leaveTo(approval.returnTo)
  }
  const report = (failure: unknown) => {
    if (!(failure instanceof Cancelled)) reportError(failure)
  }
  return (
    <section class="card settings" aria-label={app.name}>
      <h2>{app.name}</h2>
      <Maker app={app} />
      {app.description && <p>{app.description}</p>}
      <p>
        If you allow it, <b>{app.name}</b> can do this as <b>@{account.handle}</b>:
      </p>
      <Permissions permissions={permissions} />
      <p class="hint">
        You then return to <b>{new URL(returnTo).host}</b>. It does not learn your password. You can remove it at any
        time under <Link href="/security/apps">Apps</Link>.
      </p>
      <div class="actions">
        <button type="button" class="secondary" onClick={() => leaveTo(returnTo)}>
          Cancel
        </button>
        <button type="button" aria-disabled={busy.value} onClick={() => void (busy.value || allow().catch(report))}>
          Allow
        </button>
      </div>
    </section>
  )
}

function Maker({ app: { developer, website } }: Pick<AppAuthorization, 'app'>) {
  return (
    <p class="row-value">
      {developer ? (
        <>
          Made by <Link href={`/@${developer}`}>@{developer}</Link>, not by SocialConnect.
        </>
      ) : (
        'We do not know who made it: it registered itself.'
      )}{' '}
      {website && 'It says that its website is '}
      {website && (
        <a href={website} rel="noreferrer noopener" target="_blank">
          {new URL(website).host}
        </a>
      )}
    </p>
  )
}

/** Shown for a moment after the login. */
export function ResumeRequest() {
  useEffect(resumeRequest, [])
  return (
    <View title="Allow an app">
      <Loading />
    </View>
  )
}

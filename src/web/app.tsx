import { errorText } from './api/error-text.ts'
import { session, suspended } from './api/session.ts'
import { CurrentView } from './router.tsx'
import { location } from './state/location.ts'
import { mailLink } from './state/mail-link.ts'
import { providerAnswer } from './state/provider-answer.ts'
import { Connection } from './ui/connection.tsx'
import { ConfirmDialog } from './ui/dialog.tsx'
import { FindPeople } from './ui/find-people.tsx'
import { Loading } from './ui/loading.tsx'
import { PasswordDialog } from './ui/password-dialog.tsx'
import { Toasts } from './ui/toasts.tsx'
import { TopBar } from './ui/top-bar.tsx'
import { View } from './ui/view.tsx'
import { MailLink } from './views/mail-link.tsx'
import { ProviderCallback } from './views/provider-callback.tsx'

export function App({ startError }: { startError: unknown }) {
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: moves the focus within the page and adds nothing to the history */}
      <a class="skip" href="#main" onClick={skipToContent}>
        Skip to content
      </a>
      <div class={session.value ? 'shell' : 'shell logged-out'}>
        <TopBar />
        <Main startError={startError} />
        {session.value && !suspended.value && <Side />}
      </div>
      <Toasts>{session.value && !suspended.value && <Connection narrow />}</Toasts>
      <ConfirmDialog />
      <PasswordDialog />
    </>
  )
}

function Main({ startError }: { startError: unknown }) {
  const { path, visit } = location.value
  if (mailLink && visit === 0) return <MailLink link={mailLink} />
  if (providerAnswer && visit === 0) return <ProviderCallback answer={providerAnswer} />
  if (session.value !== undefined) return <CurrentView key={`${session.value?.id}/${visit}`} path={path} />
  return <View title="Welcome">{startError ? <p role="alert">{errorText(startError)}</p> : <Loading />}</View>
}

function skipToContent(event: MouseEvent): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('h1')?.focus()
}

function Side() {
  return (
    <aside class="side" aria-label="People and connection">
      <FindPeople />
      <Connection />
      <p class="fine">
        <a href="/docs/">API</a>
      </p>
    </aside>
  )
}

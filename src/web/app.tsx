import { session } from './api/session.ts'
import { location, View } from './router.tsx'
import { Connection } from './ui/connection.tsx'
import { ConfirmDialog } from './ui/dialog.tsx'
import { FindPeople } from './ui/find-people.tsx'
import { Waiting } from './ui/list-view.tsx'
import { Announcements, reasonOf } from './ui/toasts.tsx'
import { TopBar } from './ui/top-bar.tsx'
import { Blocked } from './views/blocked.tsx'
import { Discover, Home } from './views/feed.tsx'
import { LogIn } from './views/log-in.tsx'
import { NotFound } from './views/not-found.tsx'
import { Notifications } from './views/notifications.tsx'
import { People } from './views/people.tsx'
import { Profile } from './views/profile.tsx'
import { Register } from './views/register.tsx'
import { Thread } from './views/thread.tsx'
import { Verify, verification } from './views/verify.tsx'

export function App({ failure }: { failure: unknown }) {
  const starting = session.value === undefined
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it goes to a place on this page, without a trace in the history */}
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <div class={session.value ? 'shell' : 'shell signed-out'}>
        <TopBar />
        {verification && location.value.visit === 0 ? (
          <Verify token={verification} />
        ) : starting ? (
          <View title="Welcome">{failure ? <p role="alert">{reasonOf(failure)}</p> : <Waiting />}</View>
        ) : (
          <CurrentView key={`${session.value?.id}/${location.value.visit}`} path={location.value.path} />
        )}
        {session.value && <Side />}
      </div>
      <Announcements>{session.value && <Connection narrow />}</Announcements>
      <ConfirmDialog />
    </>
  )
}

function skip(event: MouseEvent): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('h1')?.focus()
}

function CurrentView({ path }: { path: string }) {
  const [, first = '', second = ''] = path.split('/').map(decoded)
  if (first === 'discover') return <Discover />
  if (first === 'posts' && /^\d+$/.test(second)) return <Thread id={second} />
  if (first.startsWith('@')) {
    const handle = first.slice(1)
    return second === 'followers' || second === 'following' ? (
      <People handle={handle} side={second} />
    ) : (
      <Profile handle={handle} />
    )
  }
  if (!session.value) return first === 'register' ? <Register /> : <LogIn />
  if (first === 'notifications') return <Notifications />
  if (first === 'blocked') return <Blocked />
  if (['', 'login', 'register'].includes(first)) return <Home />
  return <NotFound />
}

/** A part of an address; as it stands where it encodes nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
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

import type { ComponentChildren } from 'preact'
import { Announcements, reasonOf } from './announce.tsx'
import { Avatar } from './avatar.tsx'
import { ConfirmDialog } from './dialog.tsx'
import { Discover, Home } from './feed.tsx'
import { FindPeople } from './find-people.tsx'
import { news } from './home.ts'
import { Brand, Icon } from './icons.tsx'
import { unread, unreadLabel } from './inbox.ts'
import { me } from './me.ts'
import { Notifications } from './notifications.tsx'
import { People } from './people.tsx'
import { Profile } from './profile.tsx'
import { live } from './realtime.ts'
import { Link, location, View } from './router.tsx'
import { session } from './session.ts'
import { Thread } from './thread.tsx'
import { Waiting } from './timeline.tsx'
import { LogIn, Register, Verify, verification } from './welcome.tsx'

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
        {verification.value ? (
          <Verify token={verification.value} />
        ) : starting ? (
          <View title="Welcome">{failure ? <p role="alert">{reasonOf(failure)}</p> : <Waiting />}</View>
        ) : (
          <CurrentView key={`${session.value?.id}/${location.value.visit}`} path={location.value.path} />
        )}
        {session.value && <Side />}
      </div>
      <Announcements />
      <ConfirmDialog />
    </>
  )
}

function skip(event: MouseEvent): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('h1')?.focus()
}

function CurrentView({ path }: { path: string }) {
  const [, first = '', second = ''] = path.split('/').map(decodeURIComponent)
  if (first === 'discover') return <Discover />
  if (first === 'posts' && second) return <Thread id={second} />
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
  if (['', 'login', 'register'].includes(first)) return <Home />
  return (
    <View title="There is nothing here">
      <p>
        Perhaps it was, once. <Link href="/">Go home</Link>
      </p>
    </View>
  )
}

function TopBar() {
  return (
    <header class="rail">
      <Link href="/" class="brand" aria-label="SocialConnect">
        <Brand />
        <span>SocialConnect</span>
      </Link>
      <nav aria-label="Main">
        <ul>{session.value ? <Places /> : <PublicPlaces />}</ul>
      </nav>
      {me.value && (
        <Link href={`/@${me.value.handle}`} class="whoami" aria-label={`Your profile, @${me.value.handle}`}>
          <Avatar of={me.value} size="small" />
          <span>
            <b>{me.value.displayName}</b>
            <span class="handle">@{me.value.handle}</span>
          </span>
        </Link>
      )}
    </header>
  )
}

function Places() {
  const count = unread.value
  return (
    <>
      <Place href="/" icon="home" label="Home" note={news.value}>
        {news.value && <span class="dot" />}
      </Place>
      <Place href="/discover" icon="discover" label="Discover" />
      <Place href="/notifications" icon="bell" label="Notifications" note={count > 0 ? `${unreadLabel()} unread` : ''}>
        {count > 0 && <span class="badge">{unreadLabel()}</span>}
      </Place>
      <Place href={`/@${session.value!.handle}`} icon="person" label="Profile" />
    </>
  )
}

function PublicPlaces() {
  return (
    <>
      <Place href="/discover" icon="discover" label="Discover" />
      <Place href="/login" icon="person" label="Log in" />
    </>
  )
}

type PlaceProps = {
  href: string
  icon: Parameters<typeof Icon>[0]['name']
  label: string
  note?: string
  children?: ComponentChildren
}

function Place({ href, icon, label, note, children }: PlaceProps) {
  return (
    <li>
      <Link
        href={href}
        class="place"
        aria-label={note ? `${label}, ${note}` : label}
        aria-current={location.value.path === href ? 'page' : undefined}
      >
        <Icon name={icon} />
        <span>{label}</span>
        {children}
      </Link>
    </li>
  )
}

function Side() {
  return (
    <aside class="side" aria-label="People and connection">
      <FindPeople />
      <p class={live.value ? 'connection live' : 'connection'} role="status">
        {live.value ? 'Live' : live.value === false ? 'Reconnecting…' : 'Connecting…'}
      </p>
      <p class="fine">
        <a href="/docs/">API</a>
      </p>
    </aside>
  )
}

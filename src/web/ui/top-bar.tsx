import type { ComponentChildren } from 'preact'
import { session } from '../api/session.ts'
import { Link, location } from '../router.tsx'
import { me } from '../state/current-account.ts'
import { news } from '../state/home.ts'
import { unread, unreadLabel } from '../state/notifications-state.ts'
import { Avatar } from './avatar.tsx'
import { Brand, Icon } from './icons.tsx'

export function TopBar() {
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

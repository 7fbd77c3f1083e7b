import type { ComponentChildren } from 'preact'
import type { Account } from '../../client/wire.ts'
import { session, suspended } from '../api/session.ts'
import { unreadMessages, unreadMessagesLabel } from '../state/conversations.ts'
import { currentAccount } from '../state/current-account.ts'
import { newPostsLabel } from '../state/home.ts'
import { location } from '../state/location.ts'
import { unreadCount, unreadLabel } from '../state/notifications-state.ts'
import { Avatar } from './avatar.tsx'
import { Brand, Icon, type IconName } from './icons.tsx'
import { Link } from './link.tsx'

export function TopBar() {
  return (
    <header class="rail">
      <Link href="/" class="brand" aria-label="SocialConnect">
        <Brand />
        <span>SocialConnect</span>
      </Link>
      <nav aria-label="Main">
        <ul>
          {!session.value && <PublicLinks />}
          {session.value && !suspended.value && <AccountLinks handle={session.value.handle} />}
        </ul>
      </nav>
      {currentAccount.value && <OwnProfileLink account={currentAccount.value} />}
    </header>
  )
}

function OwnProfileLink({ account }: { account: Account }) {
  return (
    <Link href={`/@${account.handle}`} class="own-profile">
      <Avatar account={account} size="small" />
      <span>
        <span class="visually-hidden">Your profile:</span>
        <b>{account.displayName}</b>
        <span class="handle">@{account.handle}</span>
      </span>
    </Link>
  )
}

function AccountLinks({ handle }: { handle: string }) {
  return (
    <>
      <NavLink href="/" icon="home" label="Home">
        {newPostsLabel.value && (
          <span class="dot">
            <span class="visually-hidden">{newPostsLabel}</span>
          </span>
        )}
      </NavLink>
      <NavLink href="/discover" icon="discover" label="Discover" />
      <NavLink href="/notifications" icon="bell" label="Notifications">
        {unreadCount.value > 0 && <Badge label={unreadLabel()} />}
      </NavLink>
      <NavLink href="/messages" icon="comment" label="Messages">
        {unreadMessages.value > 0 && <Badge label={unreadMessagesLabel()} />}
      </NavLink>
      <NavLink href={`/@${handle}`} icon="person" label="Profile" />
    </>
  )
}

function PublicLinks() {
  return (
    <>
      <NavLink href="/discover" icon="discover" label="Discover" />
      <NavLink href="/login" icon="person" label="Log in" />
    </>
  )
}

function Badge({ label }: { label: string }) {
  return (
    <span class="badge">
      {label} <span class="visually-hidden">unread</span>
    </span>
  )
}

type NavLinkProps = { href: string; icon: IconName; label: string; children?: ComponentChildren }

function NavLink({ href, icon, label, children }: NavLinkProps) {
  return (
    <li>
      <Link href={href} class="nav-link" aria-current={location.value.path === href ? 'page' : undefined}>
        <Icon name={icon} />
        <span>{label}</span>
        {children}
      </Link>
    </li>
  )
}

import { session, suspended } from './api/session.ts'
import { isWaiting } from './state/app-request.ts'
import { Access } from './views/access.tsx'
import { ApiKeys } from './views/api-keys.tsx'
import { Apps } from './views/apps.tsx'
import { Authorize, ResumeRequest } from './views/authorize.tsx'
import { Blocked } from './views/blocked.tsx'
import { Console } from './views/console.tsx'
import { Conversation } from './views/conversation.tsx'
import { DeleteAccount } from './views/delete-account.tsx'
import { ExportData } from './views/export-data.tsx'
import { Discover, Home } from './views/feed.tsx'
import { ForgotPassword } from './views/forgot-password.tsx'
import { Group } from './views/group.tsx'
import { History } from './views/history.tsx'
import { Insights, PostInsights } from './views/insights.tsx'
import { Invitations } from './views/invitations.tsx'
import { JoinGroup } from './views/join-group.tsx'
import { Landing } from './views/landing.tsx'
import { Likers, OwnLikes } from './views/likes.tsx'
import { LogIn } from './views/log-in.tsx'
import { Messages } from './views/messages.tsx'
import { NewGroup } from './views/new-group.tsx'
import { NotFound } from './views/not-found.tsx'
import { NotificationSettings } from './views/notification-settings.tsx'
import { Notifications } from './views/notifications.tsx'
import { People } from './views/people.tsx'
import { Profile } from './views/profile.tsx'
import { Register } from './views/register.tsx'
import { Registrations } from './views/registrations.tsx'
import { Security } from './views/security.tsx'
import { Suspended } from './views/suspended.tsx'
import { Tag } from './views/tag.tsx'
import { Thread } from './views/thread.tsx'
import { WebhookDeliveries } from './views/webhook-deliveries.tsx'
import { Webhooks } from './views/webhooks.tsx'

export function CurrentView({ path }: { path: string }) {
  if (session.value && suspended.value) return <Suspended />
  const [, first = '', second = '', third = ''] = path.split('/').map(decodeSegment)
  if (first === 'discover') return <Discover />
  if (first === 'tags' && second) return <Tag key={second} tag={second} />
  if (first === 'posts' && /^\d+$/.test(second))
    return third === 'likes' ? <Likers postId={second} /> : <Thread id={second} />
  if (first.startsWith('@')) {
    const handle = first.slice(1)
    const isList = second === 'followers' || second === 'following'
    return isList ? <People handle={handle} direction={second} /> : <Profile handle={handle} />
  }
  if (first === 'authorize') return <Authorize />
  if (!session.value) return <LoggedOut first={first} />
  if (first === '' && isWaiting()) return <ResumeRequest />
  if (first === 'notifications') return <Notifications />
  if (first === 'messages') return messagesView(second)
  if (first === 'groups' && second) return <Group id={second} />
  if (first === 'join') return <JoinGroup />
  if (first === 'security') return securityView(second)
  if (first === 'webhooks') return second ? <WebhookDeliveries id={second} /> : <Webhooks />
  if (first === 'export') return <ExportData />
  if (first === 'invitations') return <Invitations />
  if (first === 'delete-account') return <DeleteAccount />
  if (first === 'registrations') return <Registrations />
  if (first === 'access') return <Access />
  if (first === 'console') return <Console />
  if (first === 'insights') return second ? <PostInsights postId={second} /> : <Insights />
  if (first === 'likes') return <OwnLikes handle={session.value.handle} />
  if (first === 'blocked') return <Blocked handle={session.value.handle} />
  if (['', 'login', 'register'].includes(first)) return <Home />
  return <NotFound />
}

function messagesView(page: string) {
  if (page === 'new-group') return <NewGroup />
  return page ? <Conversation id={page} /> : <Messages />
}

function securityView(page: string) {
  if (page === 'api-keys') return <ApiKeys />
  if (page === 'apps') return <Apps />
  if (page === 'notifications') return <NotificationSettings />
  return page === 'history' ? <History /> : <Security />
}

function LoggedOut({ first }: { first: string }) {
  if (first === '') return <Landing />
  if (first === 'forgot') return <ForgotPassword />
  return first === 'register' ? <Register /> : <LogIn />
}

/** Decodes a path segment; returns a malformed one unchanged. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

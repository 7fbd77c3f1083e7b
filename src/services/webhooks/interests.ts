import type { z } from '@hono/zod-openapi'
import type { Id } from '../../platform/data/ids.ts'
import { dataOf, type Happened } from '../../platform/events/events.ts'
import { accountFollowed } from '../accounts/events.ts'
import { postDeleted, postEdited, postLiked, postPublished } from '../posts/events.ts'
import type { Subject } from './messages.ts'
import type { WebhookEventType } from './tables.ts'

/** What an event is for one account. */
export type Interest = { accountId: Id; eventId: Id; type: WebhookEventType; data: z.infer<typeof Subject> }

/** The accounts whose webhooks may get an event: the author of the post, and those that it notifies, each once. */
export function interestsIn(event: Happened): Interest[] {
  const found = [...ofPublished(event), ...ofEdited(event), ...ofOthers(event)]
  const others = found.filter(({ accountId, data }) => accountId !== data.actorId)
  return [...new Map(others.map((each) => [each.accountId, { ...each, eventId: event.id }])).values()]
}

type Found = Omit<Interest, 'eventId'>

function ofPublished(event: Happened): Found[] {
  const post = dataOf(postPublished, event)
  if (!post) return []
  const { postId, parentId, authorId, parentAuthorId, mentioned } = post
  return [
    { accountId: authorId, type: 'post.published', data: { postId, ...(parentId && { parentId }) } },
    ...mentioned.map((accountId) => mention(accountId, postId, authorId)),
    ...(parentAuthorId && parentId
      ? [{ accountId: parentAuthorId, type: 'post.commented', data: { postId, parentId, actorId: authorId } } as const]
      : []),
  ]
}

function ofEdited(event: Happened): Found[] {
  const post = dataOf(postEdited, event)
  if (!post) return []
  const { postId, authorId, parentAuthorId, added } = post
  const mentioned = added.filter((accountId) => accountId !== parentAuthorId)
  return [
    { accountId: authorId, type: 'post.edited', data: { postId } },
    ...mentioned.map((accountId) => mention(accountId, postId, authorId)),
  ]
}

function ofOthers(event: Happened): Found[] {
  const deleted = dataOf(postDeleted, event)
  const like = dataOf(postLiked, event)
  const follow = dataOf(accountFollowed, event)
  return [
    ...(deleted
      ? [{ accountId: deleted.authorId, type: 'post.deleted', data: { postId: deleted.postId } } as const]
      : []),
    ...(like ? [liked(like)] : []),
    ...(follow
      ? [{ accountId: follow.followeeId, type: 'account.followed', data: { actorId: follow.followerId } } as const]
      : []),
  ]
}

function mention(accountId: Id, postId: Id, actorId: Id): Found {
  return { accountId, type: 'post.mentioned', data: { postId, actorId } }
}

function liked({ postId, authorId, actorId }: { postId: Id; authorId: Id; actorId: Id }): Found {
  return { accountId: authorId, type: 'post.liked', data: { postId, actorId } }
}

import { z } from '@hono/zod-openapi'
import { Id, timeOf } from '../../platform/data/ids.ts'
import { dataOf, type EventDefinition, type Happened } from '../../platform/events/events.ts'
import { accountFollowed, accountUnfollowed } from '../accounts/events.ts'
import { addressVerified, loggedIn, mailQueued, registered } from '../identity/events.ts'
import { postDeleted, postLiked, postPublished, postUnliked } from '../posts/events.ts'

export const surfaces = ['home', 'public', 'profile', 'post', 'search', 'other'] as const
export type Surface = (typeof surfaces)[number]

/** What somebody did: ids and a kind, never contents. `author` is the account that it was done to, or to whose post. */
export const Act = z.object({
  id: z.string(),
  kind: z.string(),
  at: z.number(),
  actor: Id.nullable(),
  author: Id.nullable(),
  post: Id.nullable(),
})
export type Act = z.infer<typeof Act>

export const Seen = z.object({
  viewer: Id,
  postIds: z.array(Id),
  surface: z.enum(surfaces),
  at: z.number(),
})
export type Seen = z.infer<typeof Seen>

export const Activity = z.union([Act, Seen])
export type Activity = z.infer<typeof Activity>

/** The acts that one batch of events announced are one message. */
export const ActivityMessage = z.union([Activity, z.array(Act)])
export type ActivityMessage = z.infer<typeof ActivityMessage>

export const kinds = [
  ...['register', 'verify', 'login', 'mail', 'follow', 'unfollow'],
  ...['post', 'comment', 'delete', 'like', 'unlike'],
]

type Subjects = Partial<Pick<Act, 'actor' | 'author' | 'post'>>
type Reader = (event: Happened) => { kind: string; subjects: Subjects } | null

function counted<T>(event: EventDefinition<T>, kind: string | ((data: T) => string), subjects: (data: T) => Subjects) {
  const read: Reader = (happened) => {
    const data = dataOf(event, happened)
    return data && { kind: typeof kind === 'string' ? kind : kind(data), subjects: subjects(data) }
  }
  return read
}

const readers = [
  counted(registered, 'register', ({ accountId }) => ({ actor: accountId })),
  counted(addressVerified, 'verify', ({ accountId }) => ({ actor: accountId })),
  counted(loggedIn, 'login', ({ accountId }) => ({ actor: accountId })),
  counted(mailQueued, 'mail', () => ({})),
  counted(accountFollowed, 'follow', ({ followerId, followeeId }) => ({ actor: followerId, author: followeeId })),
  counted(accountUnfollowed, 'unfollow', ({ followerId, followeeId }) => ({ actor: followerId, author: followeeId })),
  counted(
    postPublished,
    ({ parentId }) => (parentId ? 'comment' : 'post'),
    ({ postId, authorId, parentId, parentAuthorId }) =>
      parentId ? { actor: authorId, author: parentAuthorId, post: parentId } : { actor: authorId, post: postId },
  ),
  counted(postDeleted, 'delete', ({ authorId }) => ({ actor: authorId })),
  counted(postLiked, 'like', ({ actorId, authorId, postId }) => ({ actor: actorId, author: authorId, post: postId })),
  counted(postUnliked, 'unlike', ({ actorId, postId }) => ({ actor: actorId, post: postId })),
]

/** The activity that an event announces; null if it is not counted. */
export function actOf(event: Happened): Act | null {
  for (const read of readers) {
    const found = read(event)
    if (!found) continue
    const { kind, subjects } = found
    const nobody = { actor: null, author: null, post: null }
    return { id: `${kind}:${event.id}`, kind, at: timeOf(event.id), ...nobody, ...subjects }
  }
  return null
}

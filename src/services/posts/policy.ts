import { and, eq, exists, isNotNull, not, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { all, any, type Bound, one, query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { defineAction } from '../../platform/security/actions.ts'
import { defineScope } from '../../platform/security/scopes.ts'
import { blockBetween, isActive, isFollowedBy } from '../accounts/policy.ts'
import { type Entity, mentionedIn } from './entities.ts'
import { likes, postLikers, posts, type Visibility } from './tables.ts'

export const readPosts = defineScope('posts:read', 'Read posts, comments and feeds')
export const writePosts = defineScope('posts:write', 'Publish, edit, delete and like posts')

export const publishPosts = defineAction('posts:publish', { allows: 'Publish posts and comments', role: 'user' })
export const editPosts = defineAction('posts:edit', { allows: 'Edit the texts of posts of others', role: 'admin' })

/** False for every comment, because its visibility depends on its root, which is not read here. */
export function isPublic(post: { visibility: Visibility; rootId: Id | null }): boolean {
  return post.visibility === 'public' && post.rootId === null
}

/** The only visibility rule of posts, for `posts` joined with `accounts`. Loaders also check the root of a comment. */
export function visibleTo(viewerId: Bound<Id> | null): SQL {
  const isOpen = any(isNotNull(posts.rootId), eq(posts.visibility, 'public'))
  if (viewerId === null) return all(isActive, isOpen)
  const mayRead = any(
    isOpen,
    eq(posts.authorId, viewerId),
    isFollowedBy(posts.authorId, viewerId),
    isMentioned(viewerId),
  )
  return all(isActive, not(blockBetween(posts.authorId, viewerId)), mayRead)
}

function isMentioned(viewerId: Bound<Id>): SQL {
  const accountId = sql.param(viewerId, posts.authorId)
  return sql`exists (select 1 from json_each(${posts.entities}) where cast(value ->> 'accountId' as int) = ${accountId})`
}

type Comment = { authorId: Id | null; parentAuthorId: Id | null; entities: readonly Entity[] | null }

/** Whether the viewer wrote a comment, is mentioned in it or is replied to. It is then readable without its root. */
export function isAddressedTo(viewerId: Id | null, { authorId, parentAuthorId, entities }: Comment): boolean {
  return viewerId !== null && [authorId, parentAuthorId, ...mentionedIn(entities ?? [])].includes(viewerId)
}

/** Whether `post_likers` lists the likes of the post. If not, they are few, and sorted when they are read. */
export function hasLikers(postId: Id): SQL {
  return exists(query.select(one).from(postLikers).where(eq(postLikers.postId, postId)))
}

/** Use it in queries on the shard of the post. */
export function isLikedBy(postId: Id | SQLWrapper, accountId: Bound<Id>): SQL {
  const own = and(eq(likes.postId, postId), eq(likes.accountId, accountId))
  return exists(query.select(one).from(likes).where(own))
}

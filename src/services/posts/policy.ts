import { type SQL, sql } from 'drizzle-orm'
import type { Bound } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { accounts, blocks, followers } from '../accounts/tables.ts'
import { posts } from './tables.ts'

/**
 * The one visibility predicate: whether the viewer may see a post, for a query that joins `posts` with its author's
 * `accounts` row. Everything it asks lies on the author's shard, so it is read with the post. A comment needs its root
 * visible besides: the loaders of `views.ts` see to that.
 */
export function visibleTo(viewerId: Bound<Id> | null): SQL {
  const standing = sql`${accounts.suspendedAt} is null`
  if (viewerId === null) return sql`(${standing} and ${posts.visibility} = 'public')`
  const viewer = sql.param(viewerId, posts.authorId)
  const blocked = sql`exists (select 1 from ${blocks} where ${blocks.accountId} = ${posts.authorId} and ${blocks.otherId} = ${viewer})`
  const follower = sql`exists (select 1 from ${followers} where ${followers.accountId} = ${posts.authorId} and ${followers.followerId} = ${viewer})`
  const open = sql`(${posts.visibility} = 'public' or ${posts.authorId} = ${viewer} or ${follower})`
  return sql`(${standing} and not ${blocked} and ${open})`
}

import { and, eq, exists, inArray, ne, or, sql } from 'drizzle-orm'
import { changed, one, query } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { media } from '../media/tables.ts'
import { type Attachment, posts } from './tables.ts'

/** A post's copy of its images, with the current alt texts of `media`. */
const described = sql<Attachment[]>`(select json_group_array(json_set(value, '$.alt', (select ${media.alt} from ${media}
  where ${media.id} = value ->> 'id'))) from json_each(${posts.media}))`

/** Copies an alt text to the post that has the image, if the previous statement of the batch changed it. */
export function copyAlt(db: Database, mediaId: Id) {
  const attachedTo = query.select({ id: media.postId }).from(media).where(eq(media.id, mediaId))
  return db
    .update(posts)
    .set({ media: described })
    .where(and(inArray(posts.id, attachedTo), changed))
}

/** For a new post: the alt text of an image may have changed since it was read. */
export function copyChangedAlts(db: Database, postId: Id, read: readonly Attachment[]) {
  if (read.length === 0) return []
  const hasChanged = or(...read.map(({ id, alt }) => and(eq(media.id, id), ne(media.alt, alt))))
  const ids = read.map(({ id }) => id)
  const stale = exists(
    query
      .select(one)
      .from(media)
      .where(and(idIn(media.id, ids), hasChanged)),
  )
  return [
    db
      .update(posts)
      .set({ media: described })
      .where(and(eq(posts.id, postId), stale)),
  ]
}

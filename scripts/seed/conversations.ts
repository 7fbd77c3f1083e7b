import type { Id } from '../../src/platform/data/ids.ts'
import { feedIndex, lanes, publicPosts } from '../../src/services/feed/tables.ts'
import { entitiesOf } from '../../src/services/posts/entities.ts'
import { scan } from '../../src/services/posts/scan.ts'
import { likedPosts, likes, postLikers, posts, threadIndex } from '../../src/services/posts/tables.ts'
import { type Community, DAY_MS, DAYS, type Entry, entry, notificationOf, readers, shardNamed } from './community.ts'
import { drawer } from './random.ts'
import { commentText, postText } from './texts.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const FOLLOWERS_ONLY = 0.12
const MENTIONS = 0.12
const LIKES_PER_FOLLOWER = 0.06
const LIKES_OF_A_COMMENT = 0.3
const COMMENTS_PER_POST = 0.6
const MAX_COMMENTS = 40
const REPLIES = 0.4
const MINUTES_TO_A_COMMENT = 90
const MINUTES_TO_A_LIKE = 240
/** How likely a post is in each hour of the day (UTC), as relative weights. */
const HOURS = [1, 1, 0, 0, 0, 1, 3, 6, 7, 5, 4, 4, 6, 5, 4, 4, 5, 7, 8, 9, 10, 8, 5, 2]

type Draft = {
  id: Id
  author: number
  text: string
  isPublic: boolean
  time: number
  mentioned: number | null
  root: Draft | null
  parent: Draft | null
  comments: Draft[]
}

/** The rows of each post and its thread: comments, likes, index entries and notifications. */
export function* conversations(community: Community): Generator<Entry[]> {
  const { people, random } = community
  const activity = people.map(({ followers }) => random.exponential(1) ** 2 * (1 + Math.sqrt(followers.length)))
  const drawAuthor = drawer(random, activity)
  const drawHour = drawer(random, HOURS)
  for (let n = 0; n < community.posts; n++) {
    const root = writePost(community, drawAuthor(), drawHour())
    const thread = writeThread(community, root)
    yield [root, ...thread].flatMap((draft) => [...rowsOf(community, draft)])
  }
}

function writePost(community: Community, author: number, hour: number): Draft {
  const { people, random, until } = community
  const { interests, shard, follows } = people[author]!
  const time = until - (1 + random.below(DAYS)) * DAY_MS + hour * HOUR_MS + random.below(HOUR_MS)
  const mentioned = random.chance(MENTIONS) && follows.length > 0 ? random.pick(follows) : null
  const text = postText(random, interests, mentioned === null ? null : people[mentioned]!.handle)
  const isPublic = !random.chance(FOLLOWERS_ONLY)
  const id = community.newId(shard, time)
  return { id, author, text, isPublic, time, mentioned, root: null, parent: null, comments: [] }
}

/** The comments under a post, oldest first. All are earlier than `community.until`. */
function writeThread(community: Community, root: Draft): Draft[] {
  const { random, people, until } = community
  const { followers } = people[root.author]!
  const liveliness = COMMENTS_PER_POST * Math.sqrt(followers.length / 10)
  const count = Math.min(MAX_COMMENTS, Math.floor(followers.length / 2), Math.round(random.exponential(liveliness)))
  const thread: Draft[] = []
  let time = root.time
  for (const reader of readers(community, root.author, count, root.isPublic)) {
    time += MINUTE_MS + Math.floor(random.exponential(MINUTES_TO_A_COMMENT) * MINUTE_MS)
    if (time >= until) break
    const parent = thread.length > 0 && random.chance(REPLIES) ? random.pick(thread) : root
    const isReplied = parent !== root && parent.author !== root.author && random.chance(0.5)
    thread.push(writeComment(community, { author: isReplied ? root.author : reader, root, parent, time }))
  }
  return thread
}

type Comment = { author: number; time: number; root: Draft; parent: Draft }

function writeComment(community: Community, { author, root, parent, time }: Comment): Draft {
  const { people, random } = community
  const text = commentText(random, parent === root ? null : people[parent.author]!.handle)
  const id = community.newId(people[author]!.shard, time)
  const draft = { id, author, text, isPublic: root.isPublic, time, mentioned: null, root, parent, comments: [] }
  for (const thread of new Set([root, parent])) thread.comments.push(draft)
  return draft
}

function* rowsOf(community: Community, draft: Draft): Generator<Entry> {
  const { people, accountIds } = community
  const author = people[draft.author]!
  const home = shardNamed(author.shard)
  const { id, text, root, parent } = draft
  const fans = likers(community, draft)
  if (!root) author.postCount += 1
  if (!root && draft.isPublic) author.publicPostCount += 1
  yield entry(home, posts, {
    id,
    authorId: author.id,
    text,
    entities: entitiesOf(scan(text), accountIds),
    media: [],
    visibility: draft.isPublic ? 'public' : 'followers',
    rootId: root?.id ?? null,
    parentId: parent?.id ?? null,
    parentAuthorId: parent ? people[parent.author]!.id : null,
    likeCount: fans.length,
    commentCount: draft.comments.length,
  })
  for (const fan of fans) yield* likeRows(community, draft, fan)
  for (const comment of draft.comments) yield entry(home, threadIndex, { threadId: id, postId: comment.id })
  yield* listings(community, draft)
  yield* notificationsOf(community, draft)
}

/** A like, its copies on the shards of the post and of the account, and its notification. */
function* likeRows(community: Community, draft: Draft, fan: number): Generator<Entry> {
  const { people, random, until, newId } = community
  const { id: postId, time } = draft
  const [author, { id: accountId, shard }] = [people[draft.author]!, people[fan]!]
  const drawn = time + Math.floor(random.exponential(MINUTES_TO_A_LIKE) * MINUTE_MS)
  const likedAt = drawn < until ? drawn : time + random.below(until - time)
  const like = { postId, accountId, id: newId(author.shard, likedAt) }
  for (const table of [likes, postLikers]) yield entry(shardNamed(author.shard), table, like)
  yield entry(shardNamed(shard), likedPosts, like)
  yield* notificationOf(community, author.id, { kind: 'like', actorId: accountId, postId, time: likedAt, id: like.id })
}

function likers(community: Community, { author, root, isPublic }: Draft): number[] {
  // A like requires access to the root post, which the followers of the comment's author may not have.
  if (root && !root.isPublic) return []
  const { random, people } = community
  const { followers } = people[author]!
  const mean = root ? LIKES_OF_A_COMMENT : followers.length * LIKES_PER_FOLLOWER
  const count = Math.min(Math.floor(followers.length * 0.6), Math.round(random.exponential(mean)))
  return readers(community, author, count, isPublic)
}

/** The rows that list a post on every shard, or a comment on its author's shard. Public posts are in more lists. */
function* listings({ people, shards }: Community, { id, author, root, isPublic }: Draft): Generator<Entry> {
  const { id: authorId, shard } = people[author]!
  const row = { authorId, lane: root ? lanes.comments : lanes.posts, postId: id }
  for (const each of root ? [shard] : shards) yield entry(shardNamed(each), feedIndex, row)
  if (root || !isPublic) return
  yield entry(shardNamed(shard), feedIndex, { ...row, lane: lanes.publicPosts })
  yield entry('INDEX', publicPosts, { postId: id, authorId })
}

function* notificationsOf(community: Community, draft: Draft): Generator<Entry> {
  const { people } = community
  const { id: postId, author, parent, mentioned, time } = draft
  const actorId = people[author]!.id
  if (parent) yield* notificationOf(community, people[parent.author]!.id, { kind: 'comment', actorId, postId, time })
  if (mentioned !== null) {
    yield* notificationOf(community, people[mentioned]!.id, { kind: 'mention', actorId, postId, time })
  }
}

import type { Id } from '../../src/platform/data/ids.ts'
import { listComments } from '../../src/services/posts/comments.ts'
import { createPost, getPost, PostCreation } from '../../src/services/posts/posts.ts'
import type { Post } from '../../src/services/posts/views.ts'
import { count } from './databases.ts'
import { asUser, idsOf, wholePage } from './viewers.ts'

type Draft = Partial<PostCreation>

/** The input of `createPost`, with the default values of the schema. */
export const draft = (input: Draft & { text: string }): PostCreation => PostCreation.parse(input)

export async function publish(author: Id, input: Draft = {}): Promise<Post> {
  return (await createPost(asUser(author), draft({ text: 'hello', ...input }))).value
}

export async function publishedId(author: Id, input: Draft = {}): Promise<Id> {
  return (await publish(author, input)).id
}

/** Posts of one millisecond on two shards have ids in any order. */
export const newestFirst = (...ids: Id[]): Id[] => ids.toSorted((a, b) => Number(b) - Number(a))

export async function commentIds(viewer: Id, postId: Id): Promise<Id[]> {
  return idsOf(await listComments(asUser(viewer), { postId, ...wholePage }))
}

export async function countersOf(viewer: Id, postId: Id): Promise<{ likeCount: number; commentCount: number }> {
  const { likeCount, commentCount } = await getPost(asUser(viewer), { postId })
  return { likeCount, commentCount }
}

/** The two post counts that are stored with an account: of all its posts, and of the public ones. */
export const postCountsOf = (author: Id): Promise<number[]> =>
  Promise.all(
    ['post_count', 'public_post_count'].map((column) =>
      count(`SELECT coalesce(sum(${column}), 0) n FROM accounts WHERE id = ${Number(author)}`),
    ),
  )

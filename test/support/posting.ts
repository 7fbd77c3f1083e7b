import type { Id } from '../../src/platform/data/ids.ts'
import { listComments } from '../../src/services/posts/comments.ts'
import { createPost, getPost, NewPost } from '../../src/services/posts/posts.ts'
import type { Post } from '../../src/services/posts/views.ts'
import { count } from './databases.ts'
import { asUser, idsOf, wholePage } from './viewers.ts'

type Draft = Partial<NewPost>

/** The input of `createPost`, with the default values of the schema. */
export const draft = (input: Draft & { text: string }): NewPost => NewPost.parse(input)

export async function publish(author: Id, input: Draft = {}): Promise<Post> {
  return (await createPost(asUser(author), draft({ text: 'hello', ...input }))).value
}

export async function publishedId(author: Id, input: Draft = {}): Promise<Id> {
  return (await publish(author, input)).id
}

export async function commentIds(viewer: Id, postId: Id): Promise<Id[]> {
  return idsOf(await listComments(asUser(viewer), { postId, ...wholePage }))
}

export async function countersOf(viewer: Id, postId: Id): Promise<{ likeCount: number; commentCount: number }> {
  const { likeCount, commentCount } = await getPost(asUser(viewer), { postId })
  return { likeCount, commentCount }
}

export const postCountOf = (author: Id): Promise<number> =>
  count(`SELECT coalesce(sum(post_count), 0) n FROM accounts WHERE id = ${Number(author)}`)

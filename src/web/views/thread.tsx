import { untracked, useSignalEffect } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { Post } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { createDraft } from '../state/draft.ts'
import { append, cachedList, includes, type List, poll } from '../state/list.ts'
import { latestNotification } from '../state/notifications-state.ts'
import { adjustCommentCount, loadPost, postSignal, storePost } from '../state/posts.ts'
import { showToast } from '../state/toasts.ts'
import { Composer } from '../ui/composer.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { PostCard } from '../ui/post-card.tsx'
import { usePolling } from '../ui/use-polling.ts'
import { View } from '../ui/view.tsx'
import { ErrorView } from './not-found.tsx'

const POLL_MS = 15_000

export function Thread({ id }: { id: string }) {
  const post = postSignal(id).value
  const comments = cachedList(`comments on ${id}`, (query) => client.listComments({ ...query, postId: id }), storePost)
  const { error, retry } = useLoad(() => loadPost(id))
  useList(comments)
  usePolling(async () => (await poll(comments)) && loadPost(id), POLL_MS, [comments, id])
  if (error.value) return <ErrorView title="Post" error={error.value} retry={retry} />
  if (!post) return <View title="Post" children={<Loading />} />
  return (
    <View title={post.parentId ? 'Comment' : 'Post'}>
      {post.rootId && (
        <p class="context">
          <Link href={`/posts/${post.rootId}`}>View full thread</Link>
        </p>
      )}
      <PostCard id={id} standalone />
      {session.value ? (
        <Reply post={post} comments={comments} />
      ) : (
        <p class="context">
          <Link href="/login">Log in</Link> to reply.
        </p>
      )}
      <Comments list={comments} postId={id} />
    </View>
  )
}

function Reply({ post: { id, author }, comments }: { post: Post; comments: List<Post> }) {
  const draft = useMemo(() => createDraft(id), [id])
  const addComment = (comment: Post) => {
    if (includes(comments, comment.id)) return
    storePost(comment)
    append(comments, comment)
    adjustCommentCount(id, 1)
  }
  useSignalEffect(() => {
    const { kind, post } = latestNotification.value ?? {}
    if (kind === 'comment' && post && [post.rootId, post.parentId].includes(id)) untracked(() => addComment(post))
  })
  const publish = (comment: Post) => {
    addComment(comment)
    showToast('Comment published')
  }
  return (
    <Composer draft={draft} label={`Reply to ${author.displayName}`} action="Reply" onPublished={publish} isComment />
  )
}

function Comments({ list, postId }: { list: List<Post>; postId: string }) {
  const comments = list.items.value
  const depths = useMemo(() => depthFirst(comments, postId), [comments, postId])
  return (
    <ListView
      list={list}
      items={[...depths.keys()]}
      label="Comments"
      moreLabel="More comments"
      empty={<p>No comments yet.</p>}
      render={(comment) => <PostCard id={comment.id} depth={depths.get(comment)} />}
    />
  )
}

/**
 * The comments in depth-first order, each with its depth. A comment whose parent is deleted, or not loaded yet, is shown
 * at the top level.
 */
function depthFirst(comments: Post[], rootId: string): Map<Post, number> {
  const loaded = new Set(comments.map(({ id }) => id))
  const replies = Map.groupBy(comments, ({ parentId }) => (parentId && loaded.has(parentId) ? parentId : rootId))
  const depths = new Map<Post, number>()
  const addReplies = (id: string, depth: number) => {
    for (const comment of replies.get(id) ?? []) {
      depths.set(comment, depth)
      addReplies(comment.id, depth + 1)
    }
  }
  addReplies(rootId, 1)
  return depths
}

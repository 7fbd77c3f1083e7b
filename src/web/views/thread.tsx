import { untracked, useSignalEffect } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { session } from '../api/session.ts'
import type { Post } from '../api/wire.ts'
import { Link, View } from '../router.tsx'
import { newDraft } from '../state/draft.ts'
import { append, includes, type List, listAt } from '../state/list.ts'
import { latest } from '../state/notifications-state.ts'
import { keepPost, postWith, readPost, recount } from '../state/posts.ts'
import { Composer } from '../ui/composer.tsx'
import { Pages, useList, useRead, Waiting } from '../ui/list-view.tsx'
import { PostCard } from '../ui/post-card.tsx'
import { tell } from '../ui/toasts.tsx'
import { FailedView } from './not-found.tsx'

/** A post and what is said about it. */
export function Thread({ id }: { id: string }) {
  const post = postWith(id).value
  const comments = listAt<Post>(`/posts/${id}/comments`, keepPost)
  const { failure, again } = useRead(() => readPost(id))
  useList(comments)
  if (failure.value) return <FailedView title="Post" error={failure.value} again={again} />
  if (!post) return <View title="Post" children={<Waiting />} />
  return (
    <View title={post.parentId ? 'Comment' : 'Post'}>
      {post.rootId && (
        <p class="context">
          <Link href={`/posts/${post.rootId}`}>See the whole thread</Link>
        </p>
      )}
      <PostCard id={id} alone />
      {session.value ? (
        <Answer post={post} comments={comments} />
      ) : (
        <p class="context">
          <Link href="/login">Log in</Link> to answer.
        </p>
      )}
      <Tree list={comments} under={id} />
    </View>
  )
}

function Answer({ post: { id, author }, comments }: { post: Post; comments: List<Post> }) {
  const draft = useMemo(() => newDraft(id), [id])
  const place = (comment: Post) => {
    if (includes(comments, comment.id)) return
    keepPost(comment)
    append(comments, comment)
    recount(id, 1)
  }
  useSignalEffect(() => {
    const { kind, post } = latest.value ?? {}
    if (kind === 'comment' && post && [post.rootId, post.parentId].includes(id)) untracked(() => place(post))
  })
  const publish = (comment: Post) => {
    place(comment)
    tell('Your comment is published')
  }
  return <Composer draft={draft} label={`Reply to ${author.displayName}`} action="Reply" onSent={publish} reply />
}

/** The comments, each below the one that it answers. */
function Tree({ list, under }: { list: List<Post>; under: string }) {
  const items = list.items.value
  const ordered = useMemo(() => nested(items, under), [items, under])
  return (
    <Pages
      list={list}
      items={ordered}
      label="Comments"
      older="More comments"
      empty={<p>No comments yet.</p>}
      show={({ id, depth }) => <PostCard id={id} depth={depth} />}
    />
  )
}

type Placed = { id: string; depth: number }

/** Depth first. A comment whose parent is gone, or not read yet, stands at the top. */
function nested(comments: Post[], root: string): Placed[] {
  const known = new Set(comments.map(({ id }) => id))
  const answers = new Map<string, Post[]>()
  for (const comment of comments) {
    const parent = comment.parentId && known.has(comment.parentId) ? comment.parentId : root
    answers.set(parent, [...(answers.get(parent) ?? []), comment])
  }
  const below = (id: string, depth: number): Placed[] =>
    (answers.get(id) ?? []).flatMap((comment) => [{ id: comment.id, depth }, ...below(comment.id, depth + 1)])
  return below(root, 1)
}

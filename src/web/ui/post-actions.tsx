import type { Post } from '../../client/wire.ts'
import { session } from '../api/session.ts'
import { location, navigate } from '../state/location.ts'
import { deletePost, setLiked } from '../state/posts.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from './dialog.tsx'
import { Icon } from './icons.tsx'
import { plural } from './plural.ts'
import { focusHeading } from './view.tsx'

const COMPOSER = '#main textarea'

export function PostActions({ post }: { post: Post }) {
  return (
    <footer class="post-actions">
      <CommentLink post={post} />
      <LikeButton post={post} />
      {post.author.id === session.value?.id && <DeleteButton post={post} />}
    </footer>
  )
}

function CommentLink({ post: { id, commentCount } }: { post: Post }) {
  const openComposer = (event: MouseEvent) => {
    event.preventDefault()
    event.stopPropagation()
    navigate(`/posts/${id}`, COMPOSER)
  }
  return (
    <a
      href={`/posts/${id}`}
      class="action"
      aria-label={`Comment, ${plural(commentCount, 'comment')}`}
      onClick={openComposer}
    >
      <Icon name="comment" />
      <span aria-hidden="true">{commentCount || ''}</span>
    </a>
  )
}

function LikeButton({ post: { id, liked, likeCount } }: { post: Post }) {
  return (
    <button
      type="button"
      class="action like"
      aria-pressed={liked}
      aria-label={`Like, ${plural(likeCount, 'like')}`}
      disabled={!session.value}
      onClick={() => void setLiked(id, !liked)}
    >
      <Icon name="heart" />
      <span aria-hidden="true">{likeCount || ''}</span>
    </button>
  )
}

function DeleteButton({ post }: { post: Post }) {
  return (
    <button
      type="button"
      class="action delete"
      aria-label="Delete post"
      onClick={() => void confirmDelete(post).catch(reportError)}
    >
      <Icon name="trash" />
    </button>
  )
}

async function confirmDelete(post: Post): Promise<void> {
  const text = 'It will be deleted for everyone. This cannot be undone.'
  if (!(await askConfirmation('Delete this post?', text, 'Delete'))) return
  await deletePost(post)
  showToast('Post deleted')
  if (location.value.path === `/posts/${post.id}`) navigate(post.rootId ? `/posts/${post.rootId}` : '/')
  else focusHeading()
}

import { useId } from 'preact/hooks'
import { session } from '../api/session.ts'
import type { Post } from '../api/wire.ts'
import { Link, location, navigate } from '../router.tsx'
import { deletePost, postWith, setLiked } from '../state/posts.ts'
import { Avatar } from './avatar.tsx'
import { confirmed } from './dialog.tsx'
import { Gallery } from './gallery.tsx'
import { Icon } from './icons.tsx'
import { RichText } from './rich-text.tsx'
import { Ago, exactTime } from './time.tsx'
import { report, tell } from './toasts.tsx'

const TO_REPLY = '#main textarea'

/** A post in a list, or `alone` at the head of its thread. Gone posts show nothing. */
export function PostCard({ id, alone = false, depth = 0 }: { id: string; alone?: boolean; depth?: number }) {
  const label = useId()
  const post = postWith(id).value
  if (!post) return null
  const openThread = (event: MouseEvent) => {
    const within = (event.target as Element).closest('a, button, dialog')
    if (!alone && !within && getSelection()?.isCollapsed) navigate(`/posts/${id}`)
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a larger target for a link that the card holds
    <article
      class={`post depth-${Math.min(depth, 3)}${alone ? ' alone' : ''}`}
      aria-labelledby={label}
      onClick={openThread}
    >
      <Avatar of={post.author} size={depth > 0 ? 'small' : 'medium'} />
      <div class="post-body">
        <Byline post={post} label={label} alone={alone} />
        <RichText text={post.text} entities={post.entities} />
        <Gallery media={post.media} />
        {alone && <p class="exact-time">{exactTime(post.createdAt)}</p>}
        <Actions post={post} />
      </div>
    </article>
  )
}

function Byline({ post, label, alone }: { post: Post; label: string; alone: boolean }) {
  const { author, id, visibility } = post
  return (
    <header class="byline">
      <Link href={`/@${author.handle}`} class="author" id={label}>
        <b>{author.displayName}</b> <span class="handle">@{author.handle}</span>
      </Link>
      {!alone && (
        <Link href={`/posts/${id}`} class="when">
          <Ago at={post.createdAt} />
        </Link>
      )}
      {visibility === 'followers' && (
        <span class="locked" title="For followers only">
          <Icon name="lock" />
          <span class="unseen">For followers only</span>
        </span>
      )}
    </header>
  )
}

function Actions({ post }: { post: Post }) {
  const { id, liked, likeCount, commentCount } = post
  const mine = post.author.id === session.value?.id
  return (
    <footer class="post-actions">
      <a
        href={`/posts/${id}`}
        class="action"
        aria-label={`Comment, ${plural(commentCount, 'comment')}`}
        onClick={reply}
      >
        <Icon name="comment" />
        <span aria-hidden="true">{commentCount || ''}</span>
      </a>
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
      {mine && (
        <button
          type="button"
          class="action delete"
          aria-label="Delete this post"
          onClick={() => void remove(post).catch(report)}
        >
          <Icon name="trash" />
        </button>
      )}
    </footer>
  )

  function reply(event: MouseEvent): void {
    event.preventDefault()
    event.stopPropagation()
    navigate(`/posts/${id}`, TO_REPLY)
  }
}

async function remove(post: Post): Promise<void> {
  if (!(await confirmed('Delete this post?', 'It goes for everyone, at once, and cannot be brought back.', 'Delete')))
    return
  await deletePost(post)
  tell('Your post is deleted')
  if (location.value.path === `/posts/${post.id}`) navigate(post.rootId ? `/posts/${post.rootId}` : '/')
  else document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
}

export const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

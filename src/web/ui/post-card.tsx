import { useEffect, useId, useRef } from 'preact/hooks'
import type { Post } from '../../client/wire.ts'
import { session } from '../api/session.ts'
import { currentAccount } from '../state/current-account.ts'
import { observePost } from '../state/impressions.ts'
import { navigate } from '../state/location.ts'
import { postSignal } from '../state/posts.ts'
import { Avatar } from './avatar.tsx'
import { Gallery } from './gallery.tsx'
import { Icon } from './icons.tsx'
import { ImageDialog } from './image-dialog.tsx'
import { Link } from './link.tsx'
import { plural } from './plural.ts'
import { PostActions } from './post-actions.tsx'
import { RichText } from './rich-text.tsx'
import { Ago, exactTime } from './time.tsx'

/** A post in a list, or `standalone` at the top of its thread. Shows nothing for a deleted post. */
export function PostCard({ id, standalone = false, depth = 0 }: { id: string; standalone?: boolean; depth?: number }) {
  const label = useId()
  const post = postSignal(id).value
  const article = useRef<HTMLElement>(null)
  useEffect(() => (article.current ? observePost(article.current, id) : undefined), [id, post === null])
  if (!post) return null
  // If it is the user's own post, their avatar may have changed since the post was loaded.
  const author = post.author.id === currentAccount.value?.id ? currentAccount.value : post.author
  const openThread = (event: MouseEvent) => {
    const control = (event.target as Element).closest('a, button, dialog')
    if (!standalone && !control && getSelection()?.isCollapsed) navigate(`/posts/${id}`)
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: only enlarges the target of the link inside
    <article
      ref={article}
      class={`post depth-${Math.min(depth, 3)}${standalone ? ' standalone' : ''}`}
      aria-labelledby={label}
      onClick={openThread}
    >
      <Avatar account={author} size={depth > 0 ? 'small' : 'medium'} />
      <div class="post-body">
        <Byline post={post} label={label} standalone={standalone} />
        <RichText text={post.text} entities={post.entities} />
        <Gallery
          media={post.media}
          dialog={(image, close) => <ImageDialog post={post} image={image} onClose={close} />}
        />
        {standalone && <Details post={post} />}
        <PostActions post={post} />
      </div>
    </article>
  )
}

function Details({ post: { id, author, createdAt, editedAt, likeCount } }: { post: Post }) {
  return (
    <p class="exact-time">
      {exactTime(createdAt)}
      {editedAt && <span>Edited: {exactTime(editedAt)}</span>}
      {author.id === session.value?.id && <Link href={`/insights/${id}`}>Insights</Link>}
      {likeCount > 0 && <Link href={`/posts/${id}/likes`}>{plural(likeCount, 'like')}</Link>}
    </p>
  )
}

function Byline({ post, label, standalone }: { post: Post; label: string; standalone: boolean }) {
  const { author, id, visibility } = post
  return (
    <header class="byline">
      <Link href={`/@${author.handle}`} class="author" id={label}>
        <b>{author.displayName}</b> <span class="handle">@{author.handle}</span>
      </Link>
      {!standalone && (
        <Link href={`/posts/${id}`} class="when">
          <Ago at={post.createdAt} />
        </Link>
      )}
      {visibility === 'followers' && (
        <span class="locked" title="Followers only">
          <Icon name="lock" />
          <span class="visually-hidden">Followers only</span>
        </span>
      )}
    </header>
  )
}

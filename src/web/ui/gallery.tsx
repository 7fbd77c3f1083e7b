import { useSignal } from '@preact/signals'
import type { Media, Post } from '../../client/wire.ts'
import { ImageDialog } from './image-dialog.tsx'

/** The images of a post. A click shows one in full size. */
export function Gallery({ post }: { post: Post }) {
  const open = useSignal<string | null>(null)
  const { media } = post
  const opened = media.find(({ id }) => id === open.value)
  if (media.length === 0) return null
  return (
    <>
      <ul class="gallery" data-count={media.length}>
        {media.map((image, index) => (
          <li key={image.id}>
            <button
              type="button"
              onClick={() => (open.value = image.id)}
              aria-label={`Open image ${index + 1} of ${media.length}: ${image.alt || 'no description'}`}
            >
              <Thumbnail image={image} single={media.length === 1} />
            </button>
          </li>
        ))}
      </ul>
      {opened && <ImageDialog post={post} image={opened} onClose={() => (open.value = null)} />}
    </>
  )
}

export function Thumbnail({ image, single }: { image: Media; single: boolean }) {
  const loaded = useSignal(false)
  const moves = !image.animated || !matchMedia('(prefers-reduced-motion: reduce)').matches
  const shape = single ? { aspectRatio: `${image.width} / ${image.height}` } : {}
  return (
    <img
      src={single && moves ? image.url : image.thumbnailUrl}
      alt={image.alt}
      width={image.width}
      height={image.height}
      loading="lazy"
      decoding="async"
      onLoad={() => (loaded.value = true)}
      style={{ ...shape, backgroundImage: loaded.value ? 'none' : `url("${image.placeholder}")` }}
    />
  )
}

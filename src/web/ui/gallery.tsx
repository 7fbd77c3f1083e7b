import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Media } from '../../client/wire.ts'

type Props = { media: readonly Media[]; dialog: (image: Media, close: () => void) => ComponentChildren }

/** Images as thumbnails. A click opens one in the dialog. */
export function Gallery({ media, dialog }: Props) {
  const open = useSignal<string | null>(null)
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
      {opened && dialog(opened, () => (open.value = null))}
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

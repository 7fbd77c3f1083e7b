import { useSignal } from '@preact/signals'
import type { Media } from '../api/wire.ts'
import { Modal } from './dialog.tsx'

/** The images of a post. A click shows one in full size. */
export function Gallery({ media }: { media: Media[] }) {
  const open = useSignal<Media | null>(null)
  if (media.length === 0) return null
  return (
    <>
      <ul class="gallery" data-count={media.length}>
        {media.map((image, index) => (
          <li key={image.id}>
            <button
              type="button"
              onClick={() => (open.value = image)}
              aria-label={`Open image ${index + 1} of ${media.length}: ${image.alt || 'no description'}`}
            >
              <Thumbnail image={image} single={media.length === 1} />
            </button>
          </li>
        ))}
      </ul>
      {open.value && (
        <Modal label={open.value.alt || 'Image'} onClose={() => (open.value = null)} wide>
          <img src={open.value.url} alt={open.value.alt} width={open.value.width} height={open.value.height} />
          {open.value.alt && <p class="caption">{open.value.alt}</p>}
        </Modal>
      )}
    </>
  )
}

function Thumbnail({ image, single }: { image: Media; single: boolean }) {
  const loaded = useSignal(false)
  const shape = single ? { aspectRatio: `${image.width} / ${image.height}` } : {}
  return (
    <img
      src={single ? image.url : image.thumbnailUrl}
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

import { useSignal } from '@preact/signals'
import type { Media } from '../api/wire.ts'
import { Modal } from './dialog.tsx'

/** A post's images; each opens in full. */
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
              <Picture image={image} alone={media.length === 1} />
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

function Picture({ image, alone }: { image: Media; alone: boolean }) {
  const loaded = useSignal(false)
  const shape = alone ? { aspectRatio: `${image.width} / ${image.height}` } : {}
  return (
    <img
      src={alone ? image.url : image.thumbnailUrl}
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

import { useSignal } from '@preact/signals'
import type { Account } from '../../client/wire.ts'

type Size = 'small' | 'medium' | 'large'
type Props = { account: Pick<Account, 'handle' | 'displayName' | 'avatarUrl'>; size?: Size }

/** The image of an account; without one, the first letter of the name, on a color derived from the handle. */
export function Avatar({ account: { handle, displayName, avatarUrl }, size = 'medium' }: Props) {
  const missing = useSignal<string | null>(null)
  const [first] = new Intl.Segmenter('en').segment(displayName || handle)
  const src = size === 'large' ? avatarUrl : avatarUrl?.replace(/image$/, 'thumbnail')
  return (
    <span class={`avatar ${size}`} style={{ '--hue': hashOf(handle) % 360 }} aria-hidden="true">
      {src && missing.value !== src ? (
        <img src={src} alt="" decoding="async" onError={() => (missing.value = src)} />
      ) : (
        first?.segment.toUpperCase()
      )}
    </span>
  )
}

/** The 32-bit FNV-1a hash of a text. */
function hashOf(text: string): number {
  return new TextEncoder().encode(text).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
}

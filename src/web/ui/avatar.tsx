import type { Account } from '../api/wire.ts'

type Props = { account: Pick<Account, 'handle' | 'displayName'>; size?: 'small' | 'medium' | 'large' }

/** The first letter of the name, on a color derived from the handle. */
export function Avatar({ account: { handle, displayName }, size = 'medium' }: Props) {
  const [first] = new Intl.Segmenter('en').segment(displayName || handle)
  return (
    <span class={`avatar ${size}`} style={{ '--hue': hashOf(handle) % 360 }} aria-hidden="true">
      {first?.segment.toUpperCase()}
    </span>
  )
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  return new TextEncoder().encode(text).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
}

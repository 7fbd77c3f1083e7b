import type { Account } from '../api/wire.ts'

/** A monogram whose colour is the handle's own. */
export function Avatar({
  of,
  size = 'medium',
}: {
  of: Pick<Account, 'handle' | 'displayName'>
  size?: 'small' | 'medium' | 'large'
}) {
  const hash = [...of.handle].reduce(
    (sum, letter) => Math.imul(sum ^ letter.codePointAt(0)!, 0x01000193) >>> 0,
    0x811c9dc5,
  )
  const [first] = new Intl.Segmenter('en').segment(of.displayName || of.handle)
  return (
    <span class={`avatar ${size}`} style={{ '--hue': hash % 360 }} aria-hidden="true">
      {first?.segment.toUpperCase()}
    </span>
  )
}

import type { PartialAnchorHTMLAttributes } from 'preact'
import { navigate } from '../state/location.ts'

type Props = Omit<PartialAnchorHTMLAttributes<HTMLAnchorElement>, 'href' | 'role'> & { href: string }

/** A link to a view of this client, followed without loading the page again. */
export function Link({ href, ...attributes }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return
    event.preventDefault()
    event.stopPropagation()
    navigate(href)
  }
  return <a href={href} {...attributes} onClick={follow} />
}

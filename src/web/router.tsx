import { signal } from '@preact/signals'
import type { ComponentChildren, PartialAnchorHTMLAttributes } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** Where we are, and how we got here: going back shows what was there, everything else looks for news. */
export const location = signal({ path: window.location.pathname, back: false, visit: 0 })

history.scrollRestoration = 'manual'
let restore = 0

addEventListener('popstate', ({ state }) => {
  restore = (state as { scroll?: number } | null)?.scroll ?? 0
  go(window.location.pathname, true)
})

/** Goes to a view. It takes the focus on its heading, or on the first element that matches `focus`. */
export function navigate(path: string, focus = 'h1'): void {
  history.replaceState({ scroll: scrollY }, '')
  history.pushState({ focus }, '', path)
  restore = 0
  go(path, false)
}

function go(path: string, back: boolean): void {
  location.value = { path, back, visit: location.value.visit + 1 }
}

export function Link({
  href,
  ...rest
}: Omit<PartialAnchorHTMLAttributes<HTMLAnchorElement>, 'href' | 'role'> & { href: string }) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return
    event.preventDefault()
    event.stopPropagation()
    navigate(href)
  }
  return <a href={href} {...rest} onClick={follow} />
}

let arrived = false

type ViewProps = { title: string; windowTitle?: string; children: ComponentChildren }

/** The frame of a view: its heading takes the focus on arrival, so that a screen reader starts there. */
export function View({ title, windowTitle = title, children }: ViewProps) {
  const main = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    scrollTo({ top: restore, behavior: 'instant' })
    const { focus = 'h1' } = (history.state ?? {}) as { focus?: string }
    if (arrived) main.current?.querySelector<HTMLElement>(focus)?.focus({ preventScroll: true })
    arrived = true
  }, [])
  useLayoutEffect(() => {
    document.title = `${windowTitle} · SocialConnect`
  }, [windowTitle])
  return (
    <main id="main" ref={main}>
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </main>
  )
}

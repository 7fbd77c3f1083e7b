import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { focusTarget, location } from '../state/location.ts'

let isFirstView = true

type Props = { title: string; windowTitle?: string; children: ComponentChildren }

/** The frame of a view. When the view opens, the focus moves into it, so that screen readers continue there. */
export function View({ title, windowTitle = title, children }: Props) {
  const main = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    scrollTo({ top: location.peek().scroll, behavior: 'instant' })
    if (!isFirstView) main.current?.querySelector<HTMLElement>(focusTarget())?.focus({ preventScroll: true })
    isFirstView = false
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

export function focusHeading(): void {
  document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
}

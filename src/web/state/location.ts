import { signal } from '@preact/signals'

/** The current view. If `back`, the user returned to it, and it may keep its content. `visit` counts opened views. */
export const location = signal({ path: window.location.pathname, back: false, visit: 0, scroll: 0 })

history.scrollRestoration = 'manual'

addEventListener('popstate', ({ state }) => {
  const { scroll = 0 } = (state ?? {}) as { scroll?: number }
  setLocation(window.location.pathname, true, scroll)
})

/** Opens a view and moves the focus to its heading, or to the first element that matches `focus`. */
export function navigate(path: string, focus = 'h1'): void {
  history.replaceState({ scroll: scrollY }, '')
  history.pushState({ focus }, '', path)
  setLocation(path, false, 0)
}

/** Shows another address for the current view, such as the new handle of an account, and opens it. */
export function redirect(path: string): void {
  history.replaceState(history.state, '', path)
  setLocation(new URL(path, window.location.origin).pathname, location.value.back, location.value.scroll)
}

function setLocation(path: string, back: boolean, scroll: number): void {
  location.value = { path, back, visit: location.value.visit + 1, scroll }
}

/** The selector of the element to focus in the current view. */
export function focusTarget(): string {
  const { focus = 'h1' } = (history.state ?? {}) as { focus?: string }
  return focus
}

import { useEffect } from 'preact/hooks'

/** Calls `look` at intervals while the page is visible, and when it is shown again. Failures are ignored. */
export function usePolling(look: () => Promise<unknown>, everyMs: number, inputs: readonly unknown[]): void {
  useEffect(() => {
    const lookIfVisible = () => {
      if (!document.hidden) look().catch(() => {})
    }
    const timer = setInterval(lookIfVisible, everyMs)
    document.addEventListener('visibilitychange', lookIfVisible)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', lookIfVisible)
    }
  }, inputs)
}

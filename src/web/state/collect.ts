import { onAccountChange } from '../api/session.ts'

const SOON_MS = 100

/**
 * Returns a function that takes ids one by one and gives them to `load` together: those of a moment, and at most once
 * per `intervalMs`, so that a burst of frames costs one request. Those of a previous account are dropped.
 */
export function collect(intervalMs: number, load: (ids: string[]) => Promise<void>): (id: string) => void {
  let waiting: string[] = []
  let timer: number | undefined
  let lastLoad = Number.NEGATIVE_INFINITY
  const loadAll = () => {
    lastLoad = performance.now()
    const ids = waiting
    waiting = []
    void load(ids)
  }
  onAccountChange(() => {
    clearTimeout(timer)
    waiting = []
  })
  return (id) => {
    waiting.push(id)
    if (waiting.length === 1) timer = setTimeout(loadAll, Math.max(SOON_MS, lastLoad + intervalMs - performance.now()))
  }
}

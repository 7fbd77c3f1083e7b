import type { Pace } from './d1-session.ts'

/** Sends selects in waves: while a trip is under way, new ones wait, so that nested lists cost one wave per level. */
export function waves(): Pace {
  let underWay = 0
  let planned = false
  let waiting: (() => void)[] = []

  function plan(): void {
    if (planned || underWay > 0 || waiting.length === 0) return
    planned = true
    setTimeout(() => setTimeout(start, 0), 0) // loaders, which wait for one timer, issue their selects before
  }

  function start(): void {
    planned = false
    if (underWay > 0) return
    const group = waiting
    waiting = []
    for (const send of group) send()
  }

  return {
    ready: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        plan()
      }),
    during: (trip) => {
      underWay += 1
      return trip.finally(() => {
        underWay -= 1
        plan()
      })
    },
  }
}

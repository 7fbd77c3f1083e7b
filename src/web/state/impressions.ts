import { signal } from '@preact/signals'
import { client } from '../api/client.ts'
import { onAccountChange, sameAccount, session, suspended } from '../api/session.ts'
import { location } from './location.ts'

const FLUSH_MS = 5_000
const MOST_IDS = 50
/** How much of a post must be visible. */
const VISIBLE = 0.5

type Surface = 'home' | 'public' | 'profile' | 'post' | 'other'

/** Whether the account agreed to be counted as a reader; undefined until it is known, and null if it has not decided. */
export const agreed = signal<boolean | null | undefined>(undefined)

const waiting = new Map<string, Surface>()
let reported = new Set<string>()
let timer: ReturnType<typeof setTimeout> | undefined

onAccountChange(() => {
  agreed.value = undefined
  waiting.clear()
  reported = new Set()
})
document.addEventListener('visibilitychange', () => document.hidden && flush())

export async function loadChoice(): Promise<void> {
  const isSame = sameAccount()
  const choice = await client.getActivityChoice()
  if (isSame()) setChoice(choice.agreed)
}

export async function decide(decision: boolean): Promise<void> {
  setChoice((await client.setActivityChoice({ agreed: decision })).agreed)
}

/** What was seen before the person agreed is never reported. */
function setChoice(choice: boolean | null): void {
  if (choice !== true || agreed.value === null || agreed.value === false) waiting.clear()
  agreed.value = choice
}

/** Reports a post once, when the element that shows it is half visible. Returns a function that stops looking. */
export function observePost(element: Element, id: string): () => void {
  const observer = new IntersectionObserver(
    ([entry]) => {
      if (!entry?.isIntersecting) return
      observer.disconnect()
      seen(id)
    },
    { threshold: VISIBLE },
  )
  observer.observe(element)
  return () => observer.disconnect()
}

function seen(id: string): void {
  const mayCount = agreed.value === true || agreed.value === undefined
  if (!session.value || suspended.value || !mayCount || reported.has(id)) return
  reported.add(id)
  waiting.set(id, surfaceOf(location.value.path))
  timer ??= setTimeout(flush, FLUSH_MS)
}

/** Failures are ignored: an impression is not worth a message. */
function flush(): void {
  clearTimeout(timer)
  timer = undefined
  if (agreed.value !== true) return
  const bySurface = Map.groupBy(waiting, ([, surface]) => surface)
  waiting.clear()
  for (const [surface, entries] of bySurface) {
    for (let at = 0; at < entries.length; at += MOST_IDS) {
      const postIds = entries.slice(at, at + MOST_IDS).map(([id]) => id)
      client.reportImpressions({ postIds, surface }).catch(() => {})
    }
  }
}

function surfaceOf(path: string): Surface {
  if (path === '/') return 'home'
  if (path === '/discover') return 'public'
  if (path.startsWith('/@')) return 'profile'
  return path.startsWith('/posts/') ? 'post' : 'other'
}

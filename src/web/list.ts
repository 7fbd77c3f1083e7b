import { signal } from '@preact/signals'
import { get } from './api.ts'
import { onAccountChange } from './session.ts'
import type { Page } from './wire.ts'

const LIMIT = 20

export type List<T> = ReturnType<typeof makeList<T>>
type Item = { id: string }

/** A paged list of the API, as far as it has been read. `keep` sees every item that arrives. */
export function makeList<T>(path: string, keep: (item: T & Item) => void = () => {}) {
  const items = signal<(T & Item)[]>([])
  const state = signal<'idle' | 'loading' | 'ready' | 'failed'>('idle')
  const failure = signal<unknown>(null)
  const next = signal<string | null>(null)
  let round = 0
  let again = () => Promise.resolve()

  async function read(cursor: string | null): Promise<Page<T & Item>> {
    const page = await get<Page<T & Item>>(`${path}?limit=${LIMIT}${cursor ? `&cursor=${cursor}` : ''}`)
    for (const item of page.items) keep(item)
    return page
  }

  /** Runs one load; what an earlier one brings after it is ignored. */
  async function load(cursor: string | null, place: (page: Page<T & Item>) => void): Promise<void> {
    round += 1
    const mine = round
    again = () => load(cursor, place)
    state.value = 'loading'
    try {
      const page = await read(cursor)
      if (mine !== round) return
      place(page)
      state.value = 'ready'
    } catch (error) {
      if (mine !== round) return
      failure.value = error
      state.value = 'failed'
    }
  }

  const has = (id: string) => items.value.some((item) => item.id === id)

  return {
    items,
    state,
    failure,
    next,
    /** Tries what failed again. */
    again: () => again(),
    /** Reads the first page anew. */
    reload: () =>
      load(null, (page) => {
        items.value = page.items
        next.value = page.nextCursor
      }),
    /** Reads the page after the last one read. */
    more: () =>
      load(next.value, (page) => {
        items.value = unique([...items.value, ...page.items])
        next.value = page.nextCursor
      }),
    /** What has come in since the first page was read, or null when that is more than a page. */
    async news(): Promise<(T & Item)[] | null> {
      const page = await read(null)
      const fresh = page.items.filter((item) => !has(item.id))
      return fresh.length > 0 && fresh.length === page.items.length ? null : fresh
    },
    prepend(arrived: (T & Item)[]): void {
      items.value = unique([...arrived, ...items.value])
    },
    append(item: T & Item): void {
      items.value = unique([...items.value, item])
    },
    has,
    /** Forgets everything, so that the next view of it reads it anew. */
    clear(): void {
      round += 1
      items.value = []
      next.value = null
      state.value = 'idle'
    },
  }
}

function unique<T extends Item>(items: T[]): T[] {
  const seen = new Set<string>()
  return items.filter(({ id }) => !seen.has(id) && seen.add(id))
}

const lists = new Map<string, List<never>>()
onAccountChange(() => lists.clear())

/** The list at `path`, kept for when one comes back to it. */
export function listAt<T>(path: string, keep?: (item: T & Item) => void): List<T> {
  const known = lists.get(path) ?? (makeList<T>(path, keep) as unknown as List<never>)
  lists.set(path, known)
  return known as unknown as List<T>
}

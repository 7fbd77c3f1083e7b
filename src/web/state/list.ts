import { type Signal, signal } from '@preact/signals'
import { get } from '../api/api.ts'
import { onAccountChange } from '../api/session.ts'
import type { Page } from '../api/wire.ts'

const LIMIT = 20

type Item = { id: string }

/** A paged list of the API, as far as it has been read. */
export type List<T extends Item> = {
  path: string
  /** Sees every item that arrives. */
  keep: (item: T) => void
  items: Signal<T[]>
  state: Signal<'idle' | 'loading' | 'ready' | 'failed'>
  failure: Signal<unknown>
  /** The cursor of the page after the last one read. */
  next: Signal<string | null>
  round: number
  /** What was done to the items since the load under way began: done again to what it brings. */
  since: ((items: T[]) => T[])[]
  again: () => Promise<void>
}

export function makeList<T extends Item>(path: string, keep: (item: T) => void = () => {}): List<T> {
  return {
    path,
    keep,
    items: signal<T[]>([]),
    state: signal<'idle' | 'loading' | 'ready' | 'failed'>('idle'),
    failure: signal<unknown>(null),
    next: signal<string | null>(null),
    round: 0,
    since: [],
    again: () => Promise.resolve(),
  }
}

/** Reads the first page anew. */
export function reload<T extends Item>(list: List<T>): Promise<void> {
  return load(list, null, (page) => page.items)
}

/** Reads the page after the last one read. */
export function readOn<T extends Item>(list: List<T>): Promise<void> {
  return load(list, list.next.value, (page) => unique([...list.items.value, ...page.items]))
}

/** What has come in since the first page was read, or null when that is more than a page. */
export async function readNews<T extends Item>(list: List<T>): Promise<T[] | null> {
  const { items } = await read(list, null)
  const fresh = items.filter((item) => !includes(list, item.id))
  return fresh.length > 0 && fresh.length === items.length ? null : fresh
}

export function prepend<T extends Item>(list: List<T>, arrived: T[]): void {
  change(list, (items) => unique([...arrived, ...items]))
}

export function append<T extends Item>(list: List<T>, item: T): void {
  change(list, (items) => unique([...items, item]))
}

function change<T extends Item>(list: List<T>, how: (items: T[]) => T[]): void {
  list.items.value = how(list.items.value)
  list.since.push(how)
}

export function includes<T extends Item>(list: List<T>, id: string): boolean {
  return list.items.value.some((item) => item.id === id)
}

/** Forgets everything, so that the next view of it reads it anew. */
export function clear<T extends Item>(list: List<T>): void {
  list.round += 1
  list.items.value = []
  list.next.value = null
  list.since = []
  list.state.value = 'idle'
}

/** Runs one load; what an earlier one brings after it is ignored. */
async function load<T extends Item>(
  list: List<T>,
  cursor: string | null,
  merge: (page: Page<T>) => T[],
): Promise<void> {
  list.round += 1
  list.since = []
  const { round } = list
  list.again = () => load(list, cursor, merge)
  list.state.value = 'loading'
  try {
    const page = await read(list, cursor)
    if (round !== list.round) return
    list.items.value = list.since.reduce((items, how) => how(items), merge(page))
    list.since = []
    list.next.value = page.nextCursor
    list.state.value = 'ready'
  } catch (error) {
    if (round !== list.round) return
    list.failure.value = error
    list.state.value = 'failed'
  }
}

async function read<T extends Item>({ path, keep }: List<T>, cursor: string | null): Promise<Page<T>> {
  const page = await get<Page<T>>(`${path}?limit=${LIMIT}${cursor ? `&cursor=${cursor}` : ''}`)
  for (const item of page.items) keep(item)
  return page
}

function unique<T extends Item>(items: T[]): T[] {
  const seen = new Set<string>()
  return items.filter(({ id }) => !seen.has(id) && seen.add(id))
}

const lists = new Map<string, unknown>()
onAccountChange(() => lists.clear())

/** The list at `path`, kept for when one comes back to it. A path has one kind of items. */
export function listAt<T extends Item>(path: string, keep?: (item: T) => void): List<T> {
  const list = (lists.get(path) as List<T> | undefined) ?? makeList(path, keep)
  lists.set(path, list)
  return list
}

import { type Signal, signal } from '@preact/signals'
import type { Page } from '../../client/wire.ts'
import { Cancelled } from '../api/errors.ts'
import { onAccountChange, sameAccount } from '../api/session.ts'

const PAGE_SIZE = 20

type Item = { id: string }
type Loaded<T> = Page<T> & { endCursor?: string | null }
/** Reads a page: an operation of the client, whose other fields are set. */
type Load<T> = (query: { limit: number; cursor?: string }) => Promise<Loaded<T>>

/** The loaded part of a paginated list of the API. */
export type List<T extends Item> = {
  load: Load<T>
  /** Called with every item that is loaded. */
  onItem: (item: T) => void
  items: Signal<T[]>
  status: Signal<'idle' | 'loading' | 'ready' | 'failed'>
  error: Signal<unknown>
  /** The cursor of the page after the last one loaded. */
  nextCursor: Signal<string | null>
  /** At the end of a list in oldest-first order: the cursor of the items that are added later. */
  endCursor: string | null
  /** Incremented by each load, so that responses of earlier loads are ignored. */
  generation: number
  /** Changes made during a load. They are applied again to the result of the load. */
  changes: ((items: T[]) => T[])[]
  retry: () => Promise<void>
}

export function createList<T extends Item>(load: Load<T>, onItem: (item: T) => void = () => {}): List<T> {
  return {
    load,
    onItem,
    items: signal<T[]>([]),
    status: signal<'idle' | 'loading' | 'ready' | 'failed'>('idle'),
    error: signal<unknown>(null),
    nextCursor: signal<string | null>(null),
    endCursor: null,
    generation: 0,
    changes: [],
    retry: () => Promise.resolve(),
  }
}

export function reload<T extends Item>(list: List<T>): Promise<void> {
  return load(list, null, (page) => page.items)
}

export function loadMore<T extends Item>(list: List<T>): Promise<void> {
  return load(list, list.nextCursor.value, (page) => unique([...list.items.value, ...page.items]))
}

/** Fetches the items that are newer than the loaded ones. Returns null if they fill a page: there may be even more. */
export async function fetchNewer<T extends Item>(list: List<T>): Promise<T[] | null> {
  const { items } = await fetchPage(list, null)
  const newer = items.filter((item) => !includes(list, item.id))
  return newer.length > 0 && newer.length === items.length ? null : newer
}

/** Adds the items that were added to the end of the list since it was loaded. Returns whether there were any. */
export async function poll<T extends Item>(list: List<T>): Promise<boolean> {
  const { endCursor, generation } = list
  if (endCursor === null || list.status.value !== 'ready') return false
  const page = await fetchPage(list, endCursor)
  if (generation !== list.generation) return false
  const added = page.items.filter((item) => !includes(list, item.id))
  list.items.value = [...list.items.value, ...added]
  list.nextCursor.value = page.nextCursor
  list.endCursor = page.endCursor ?? null
  return added.length > 0
}

/** Loads the first page again, so that items that no longer exist disappear. `keep` makes of an item that stays what is shown. */
export async function refresh<T extends Item>(list: List<T>, keep = (shown: T, _: T): T => shown): Promise<void> {
  const { generation } = list
  if (list.status.value !== 'ready') return
  const before = new Map(list.items.value.map((item) => [item.id, item]))
  const page = await fetchPage(list, null)
  if (generation !== list.generation) return
  const first = page.items.map((item) => keep(before.get(item.id) ?? item, item))
  const end = page.nextCursor === null ? -1 : list.items.value.findIndex(({ id }) => id === first.at(-1)?.id)
  const arrived = list.items.value.filter(({ id }) => !before.has(id))
  list.items.value = unique([...arrived, ...first, ...(end < 0 ? [] : list.items.value.slice(end + 1))])
  if (end < 0) list.nextCursor.value = page.nextCursor
}

export function prepend<T extends Item>(list: List<T>, added: T[]): void {
  update(list, (items) => unique([...added, ...items]))
}

export function append<T extends Item>(list: List<T>, item: T): void {
  update(list, (items) => unique([...items, item]))
}

/** Changes the loaded items, and again those of a load that is under way. */
export function update<T extends Item>(list: List<T>, change: (items: T[]) => T[]): void {
  list.items.value = change(list.items.value)
  if (list.status.value === 'loading') list.changes.push(change)
}

export function includes<T extends Item>(list: List<T>, id: string): boolean {
  return list.items.value.some((item) => item.id === id)
}

/** Empties the list. The next view that shows it loads it again. */
export function clear<T extends Item>(list: List<T>): void {
  list.generation += 1
  list.items.value = []
  list.nextCursor.value = null
  list.endCursor = null
  list.changes = []
  list.status.value = 'idle'
}

async function load<T extends Item>(
  list: List<T>,
  cursor: string | null,
  merge: (page: Loaded<T>) => T[],
): Promise<void> {
  list.generation += 1
  list.changes = []
  const { generation } = list
  list.retry = () => load(list, cursor, merge)
  list.status.value = 'loading'
  try {
    const page = await fetchPage(list, cursor)
    if (generation !== list.generation) return
    list.items.value = list.changes.reduce((items, change) => change(items), merge(page))
    list.nextCursor.value = page.nextCursor
    list.endCursor = page.endCursor ?? null
    list.status.value = 'ready'
  } catch (error) {
    if (generation !== list.generation) return
    list.error.value = error
    list.status.value = 'failed'
  }
}

async function fetchPage<T extends Item>({ load, onItem }: List<T>, cursor: string | null): Promise<Loaded<T>> {
  const isSame = sameAccount()
  const page = await load({ limit: PAGE_SIZE, cursor: cursor ?? undefined })
  if (!isSame()) throw new Cancelled()
  for (const item of page.items) onItem(item)
  return page
}

function unique<T extends Item>(items: T[]): T[] {
  const seen = new Set<string>()
  return items.filter(({ id }) => !seen.has(id) && seen.add(id))
}

const lists = new Map<string, unknown>()
onAccountChange(() => lists.clear())

/** The list named `name`, kept so that going back shows it unchanged. Each name has one type of items. */
export function cachedList<T extends Item>(name: string, load: Load<T>, onItem?: (item: T) => void): List<T> {
  const list = (lists.get(name) as List<T> | undefined) ?? createList(load, onItem)
  lists.set(name, list)
  return list
}

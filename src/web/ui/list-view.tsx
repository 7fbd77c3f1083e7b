import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { type List, loadMore, reload } from '../state/list.ts'
import { location } from '../state/location.ts'
import { LoadError, Loading } from './loading.tsx'

/** Loads a list when its view opens, unless the list is loaded already and the user went back to the view. */
export function useList<T extends { id: string }>(list: List<T>): void {
  useEffect(() => {
    if (list.status.peek() === 'idle' || !location.peek().back) void reload(list)
  }, [list])
}

export type ListProps<T extends { id: string }> = {
  list: List<T>
  label: string
  empty: ComponentChildren
  moreLabel?: string
}

type Props<T extends { id: string }> = ListProps<T> & {
  render: (item: T) => ComponentChildren
  /** The items to show, if these are not simply the items of `list`. */
  items?: T[]
}

/** A list that loads its next page when its end comes near, or when the user presses the button there. */
export function ListView<T extends { id: string }>(props: Props<T>) {
  const { list, label, empty, moreLabel = 'Show more', render, items = list.items.value } = props
  const status = list.status.value
  const isEmpty = items.length === 0
  return (
    <section aria-label={label} aria-busy={status === 'loading'} data-feed>
      {/* biome-ignore lint/a11y/noRedundantRoles: Safari does not treat a list without bullets as a list */}
      <ol class="items" role="list">
        {items.map((item) => (
          <li key={item.id}>{render(item)}</li>
        ))}
      </ol>
      {status === 'loading' && isEmpty && <Loading />}
      {status === 'ready' && isEmpty && <div class="empty">{empty}</div>}
      {status === 'failed' && <LoadError error={list.error.value} retry={() => list.retry()} />}
      {list.nextCursor.value !== null && status !== 'failed' && (
        <MoreButton label={moreLabel} busy={status === 'loading'} load={() => loadMore(list)} />
      )}
    </section>
  )
}

function MoreButton({ label, busy, load }: { label: string; busy: boolean; load: () => Promise<void> }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (busy || !button.current) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void load(), {
      rootMargin: '600px',
    })
    observer.observe(button.current)
    return () => observer.disconnect()
  }, [busy])
  return (
    <button type="button" ref={button} class="secondary more" aria-disabled={busy} onClick={() => !busy && void load()}>
      {busy ? 'Loading…' : label}
    </button>
  )
}

import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Post } from '../api/wire.ts'
import { location } from '../router.tsx'
import { type List, readOn, reload } from '../state/list.ts'
import { PostCard } from './post-card.tsx'
import { reasonOf } from './toasts.tsx'

type Shown<T extends Item> = { list: List<T>; label: string; empty: ComponentChildren; older?: string }
type Item = { id: string }

/** Reads a list when its view opens, unless one comes back to it. */
export function useList<T extends Item>(list: List<T>): void {
  useEffect(() => {
    if (list.state.peek() === 'idle' || !location.peek().back) void reload(list)
  }, [list])
}

/** Reads something when a view opens; `failure` tells why it could not be. */
export function useRead(read: () => Promise<unknown>) {
  const failure = useSignal<unknown>(null)
  const again = async () => {
    failure.value = null
    await read().catch((error: unknown) => {
      failure.value = error
    })
  }
  useEffect(() => void again(), [])
  return { failure, again }
}

export function Timeline(props: Shown<Post>) {
  return <Pages {...props} show={({ id }) => <PostCard id={id} />} />
}

type Arranged<T extends Item, S extends Item> = Shown<T> & { show: (item: S) => ComponentChildren; items?: S[] }

/**
 * A list page by page: it reads on by itself when its end comes near, or at a button. `items` are what it shows where
 * that is not the list's own order.
 */
export function Pages<T extends Item, S extends Item = T>({
  list,
  label,
  empty,
  older = 'Show more',
  show,
  items = list.items.value as unknown as S[],
}: Arranged<T, S>) {
  const state = list.state.value
  return (
    <section aria-label={label} aria-busy={state === 'loading'} data-feed>
      {/* biome-ignore lint/a11y/noRedundantRoles: Safari takes a list without bullets for none */}
      <ol class="items" role="list">
        {items.map((item) => (
          <li key={item.id}>{show(item)}</li>
        ))}
      </ol>
      {state === 'loading' && items.length === 0 && <Waiting />}
      {state === 'ready' && items.length === 0 && <div class="empty">{empty}</div>}
      {state === 'failed' && <Failed error={list.failure.value} again={() => list.again()} />}
      {list.next.value !== null && state !== 'failed' && (
        <More label={older} busy={state === 'loading'} more={() => readOn(list)} />
      )}
    </section>
  )
}

function More({ label, busy, more }: { label: string; busy: boolean; more: () => Promise<void> }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    const watcher = new IntersectionObserver(([entry]) => entry?.isIntersecting && !busy && void more(), {
      rootMargin: '600px',
    })
    watcher.observe(button.current!)
    return () => watcher.disconnect()
  }, [busy])
  return (
    <button type="button" ref={button} class="secondary more" aria-disabled={busy} onClick={() => !busy && void more()}>
      {busy ? 'Loading…' : label}
    </button>
  )
}

export function Waiting() {
  return (
    <div class="waiting" role="status">
      <span class="unseen">Loading…</span>
    </div>
  )
}

export function Failed({ error, again }: { error: unknown; again: () => Promise<unknown> }) {
  return (
    <div class="failed" role="alert">
      <p>{reasonOf(error)}</p>
      <button type="button" class="secondary" onClick={() => void again()}>
        Try again
      </button>
    </div>
  )
}

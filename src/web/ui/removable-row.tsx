import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { type List, reload } from '../state/list.ts'
import { reportError, showToast } from '../state/toasts.ts'

type Props<T extends { id: string }> = {
  list: List<T>
  /** The visible label of the button. */
  action: string
  /** Its accessible name, if the label alone is ambiguous. */
  name?: string
  /** What the user is told afterwards. */
  done: string
  remove: () => Promise<unknown>
  children: ComponentChildren
}

/** A row of a list with a button that removes it. The list is loaded again even after a failure. */
export function RemovableRow<T extends { id: string }>({ list, action, name, done, remove, children }: Props<T>) {
  const busy = useSignal(false)
  const run = async () => {
    busy.value = true
    await remove().then(() => showToast(done), reportError)
    await reload(list)
    busy.value = false
  }
  return (
    <article class="person">
      {children}
      <button type="button" class="secondary" aria-label={name} disabled={busy.value} onClick={() => void run()}>
        {action}
      </button>
    </article>
  )
}

import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

type Action = { label: string; onSelect: () => void; disabled?: boolean }

/** A button that shows rarely needed actions. `name`: what it is called, if its label is a sign. A second press, Escape, or a press elsewhere hides them. */
export function Menu({ label, name, actions }: { label: string; name?: string; actions: Action[] }) {
  const id = useId()
  const open = useSignal(false)
  const menu = useRef<HTMLDivElement>(null)
  const toggle = () => {
    open.value = !open.value
  }
  const close = () => {
    open.value = false
    menu.current?.querySelector('button')?.focus()
  }
  usePressOutside(menu, () => {
    open.value = false
  })
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only adds a key to the buttons inside
    <div class="menu" ref={menu} onKeyDown={({ key }) => key === 'Escape' && close()}>
      <button
        type="button"
        class="secondary"
        aria-label={name}
        aria-expanded={open.value}
        aria-controls={open.value ? id : undefined}
        onClick={toggle}
      >
        {label}
      </button>
      {open.value && <Actions id={id} actions={actions} close={close} />}
    </div>
  )
}

function Actions({ id, actions, close }: { id: string; actions: Action[]; close: () => void }) {
  const select = ({ onSelect }: Action) => {
    close() // first: if the action opens a dialog, this will give the focus back to the menu
    onSelect()
  }
  return (
    <ul class="menu-actions" id={id}>
      {actions.map((action) => (
        <li key={action.label}>
          <button type="button" class="quiet" disabled={action.disabled} onClick={() => select(action)}>
            {action.label}
          </button>
        </li>
      ))}
    </ul>
  )
}

function usePressOutside(element: RefObject<HTMLElement | null>, react: () => void): void {
  useEffect(() => {
    const onPress = ({ target }: Event) => {
      if (!element.current?.contains(target as Node)) react()
    }
    document.addEventListener('pointerdown', onPress)
    return () => document.removeEventListener('pointerdown', onPress)
  }, [])
}

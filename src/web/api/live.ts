import { signal } from '@preact/signals'
import type { Frame, LiveEvent } from '../../client/client.ts'
import { client } from './client.ts'
import { onAccountChange } from './session.ts'

/** Whether events arrive live; `undefined` before the first connection. */
export const live = signal<boolean | undefined>(undefined)

type DataOf<Event> = Extract<Frame, { event: Event }>['data']

const frameHandlers: { [Event in Frame['event']]?: (data: DataOf<Event>) => void } = {}
const gapHandlers: (() => void)[] = []

export function onFrame<Event extends Frame['event']>(event: Event, handle: (data: DataOf<Event>) => void): void {
  Object.assign(frameHandlers, { [event]: handle })
}

/** Registers a function that is called when frames may have been missed. */
export function onGap(catchUp: () => void): void {
  gapHandlers.push(catchUp)
}

let connection = new AbortController()

/** Listens for events until the account changes. */
export function connect(): void {
  const { signal } = connection
  listen(signal).catch(() => {
    if (!signal.aborted) live.value = false
  })
}

onAccountChange(() => {
  connection.abort()
  connection = new AbortController()
  live.value = undefined
})

async function listen(signal: AbortSignal): Promise<void> {
  const events = client.listen({ channels: ['home', 'notifications', 'conversations'], signal, network: window })
  for await (const event of events) receive(event)
}

function receive(event: LiveEvent): void {
  switch (event.event) {
    case 'connected':
      live.value = true
      break
    case 'disconnected':
      live.value = false
      break
    case 'refetch':
      for (const catchUp of gapHandlers) catchUp()
      break
    case 'post.published':
      frameHandlers[event.event]?.(event.data)
      break
    case 'conversation.changed':
      frameHandlers[event.event]?.(event.data)
      break
    case 'notification.withdrawn':
      frameHandlers[event.event]?.(event.data)
      break
    case 'notification':
      frameHandlers[event.event]?.(event.data)
  }
}

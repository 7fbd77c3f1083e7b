import type { SystemCtx } from '../context.ts'
import type { Channel } from './channels.ts'
import type { Listener } from './hub-listeners.ts'
import type { HubState } from './hub-state.ts'

/** Reads whom the account follows. Waits for a reading that began after the call, which calls at one time share. */
export async function readAuthors(hub: HubState, listener: Listener, channels: readonly Channel[], ctx: SystemCtx) {
  const turn = ++listener.asked
  while (listener.done < turn) {
    listener.reading ??= readOnce(hub, listener, channels, ctx).finally(() => {
      listener.reading = null
    })
    await listener.reading
  }
}

async function readOnce(
  { frames, listeners }: HubState,
  listener: Listener,
  channels: readonly Channel[],
  ctx: SystemCtx,
) {
  const turn = listener.asked
  const lists = await Promise.all(channels.map(({ authorsOf }) => authorsOf?.(ctx, listener.accountId) ?? []))
  if (listener.authors === null) listener.from = frames.next()
  listener.authors = Float64Array.from(lists.flat().map(Number)).sort()
  listener.done = turn
  if (listener.isStored && listeners.holds(listener)) listeners.store(listener)
}

import { live } from '../api/realtime.ts'

/** Whether news arrive as they happen. `narrow` stands in for the side column: it shows only while they do not. */
export function Connection({ narrow = false }: { narrow?: boolean }) {
  const state = live.value ? 'Live' : live.value === false ? 'Reconnecting…' : 'Connecting…'
  return (
    <p class={`connection${live.value ? ' live' : ''}${narrow ? ' narrow' : ''}`} role="status">
      {!(narrow && live.value) && state}
    </p>
  )
}

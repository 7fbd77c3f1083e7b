import { live } from '../api/live.ts'

/** The state of the live connection. `narrow` is the variant for small screens, hidden while connected. */
export function Connection({ narrow = false }: { narrow?: boolean }) {
  const state = live.value ? 'Live' : live.value === false ? 'Reconnecting…' : 'Connecting…'
  return (
    <p class={`connection${live.value ? ' live' : ''}${narrow ? ' narrow' : ''}`} role="status">
      {!(narrow && live.value) && state}
    </p>
  )
}

import type { Permission } from '../../client/wire.ts'

/** What an app may do, in words. */
export function Permissions({ permissions }: { permissions: Permission[] }) {
  return (
    <ul class="permissions">
      {permissions.map(({ title, allows }) => (
        <li key={title}>
          {title}
          {allows.length > 0 && <span class="hint"> {allows.join('. ')}.</span>}
        </li>
      ))}
    </ul>
  )
}

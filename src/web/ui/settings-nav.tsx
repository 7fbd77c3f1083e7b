import { location } from '../state/location.ts'
import { Link } from './link.tsx'

const LINKS = {
  '/delete-account': 'Delete',
}

/** The links between the views about the own account. */
export function SettingsNav() {
  return (
    <nav class="settings-nav" aria-label="Settings">
      <ul>
        {Object.entries(LINKS).map(([href, label]) => (
          <li key={href}>
            <Link href={href} class="tab" aria-current={location.value.path === href ? 'page' : undefined}>
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

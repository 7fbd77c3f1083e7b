import { useEffect } from 'preact/hooks'
import { location } from '../state/location.ts'
import { loadRules, registrationRules } from '../state/registration-rules.ts'
import { Link } from './link.tsx'

const LINKS = {
  '/security': 'Security',
  '/security/apps': 'Apps',
  '/security/history': 'History',
  '/security/api-keys': 'API keys',
  '/export': 'Your data',
  '/delete-account': 'Delete',
}

/** The links between the views about the own account. */
export function SettingsNav() {
  // Invitations are missing where nobody needs them, and while the rules cannot be loaded.
  useEffect(() => void loadRules().catch(() => {}), [])
  const links = registrationRules.value.mode === 'invitation' ? { ...LINKS, '/invitations': 'Invitations' } : LINKS
  return (
    <nav class="settings-nav" aria-label="Settings">
      <ul>
        {Object.entries(links).map(([href, label]) => (
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

import { useEffect, useRef } from 'preact/hooks'
import { location } from '../state/location.ts'
import { loadRules, registrationRules } from '../state/registration-rules.ts'
import { loadStaffViews, staffViews } from '../state/staff.ts'
import { Link } from './link.tsx'

const LINKS = {
  '/security': 'Security',
  '/security/apps': 'Apps',
  '/security/history': 'History',
  '/security/api-keys': 'API keys',
  '/webhooks': 'Webhooks',
  '/export': 'Your data',
  '/delete-account': 'Delete',
}

/** The links between the views about the own account. */
export function SettingsNav() {
  // Invitations are missing where nobody needs them, and while the rules cannot be loaded.
  useEffect(() => void loadRules().catch(() => {}), [])
  useEffect(() => void loadStaffViews().catch(() => {}), [])
  const invites = registrationRules.value.mode === 'invitation' && { '/invitations': 'Invitations' }
  const links = Object.entries({ ...LINKS, ...invites, ...staffViews.value })
  const nav = useRef<HTMLElement>(null)
  // On narrow screens the links scroll, and the current one may be far to the right.
  useEffect(() => nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' }), [links.length])
  return (
    <nav class="settings-nav" aria-label="Settings" ref={nav}>
      <ul>
        {links.map(([href, label]) => (
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

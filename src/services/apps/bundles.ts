import type { Scope } from '../../platform/security/scopes.ts'
import { declaredScopes } from '../../platform/security/scopes.ts'
import { readAccounts, writeAccounts } from '../accounts/policy.ts'
import { readInsights, writeImpressions } from '../analytics/policy.ts'
import { writeMedia } from '../media/policy.ts'
import { readNotifications, writeNotifications } from '../notifications/policy.ts'
import { readPosts, writePosts } from '../posts/policy.ts'

type Bundle = { id: string; title: string; scopes: readonly Scope[] }

/** What people may allow an app. A test names the scopes that no app gets, and checks that no other one is missing. */
export const bundles: readonly Bundle[] = [
  { id: 'read', title: 'Read posts and profiles as you', scopes: [readPosts, readAccounts] },
  { id: 'post', title: 'Publish as you', scopes: [writePosts, writeMedia] },
  { id: 'account', title: 'Change your profile and relations', scopes: [writeAccounts] },
  {
    id: 'statistics',
    title: 'Read your statistics, and add to those of others',
    scopes: [readInsights, writeImpressions],
  },
  { id: 'notifications', title: 'Use your notifications', scopes: [readNotifications, writeNotifications] },
]

/** Scopes of OAuth and OpenID Connect, with the title under which people see them; `realtime` reveals nothing by itself. */
const protocol: ReadonlyMap<string, string> = new Map([
  ['openid', 'Know which account is yours'],
  ['offline_access', 'Stay connected until you remove it'],
  ['realtime', 'Receive live updates'],
])

const offered = new Set<string>([...bundles.flatMap(({ scopes }) => scopes), ...protocol.keys()])
export const offeredScopes = [...offered]

export const isOffered = (scope: string) => offered.has(scope)

export type Permission = { title: string; allows: string[] }

export function permissionsFor(scopes: readonly string[]): Permission[] {
  const words = declaredScopes()
  const ofBundles = bundles.map(({ title, scopes: members }) => ({
    title,
    allows: members.filter((scope) => scopes.includes(scope)).map((scope) => words.get(scope) ?? scope),
  }))
  const others = [...protocol].filter(([scope]) => scopes.includes(scope)).map(([, title]) => ({ title, allows: [] }))
  return [...ofBundles.filter(({ allows }) => allows.length > 0), ...others]
}

import { lookOf, readings } from '../../platform/data/confusables.ts'
import { isOfficialName } from './policy.ts'

/** Handles that look official, or that have another meaning in paths or clients. */
const reserved = new Set([
  'about',
  'abuse',
  'account',
  'accounts',
  'admin',
  'administrator',
  'all',
  'anonymous',
  'api',
  'auth',
  'billing',
  'contact',
  'docs',
  'everyone',
  'feed',
  'feeds',
  'graphql',
  'help',
  'home',
  'hostmaster',
  'info',
  'legal',
  'login',
  'logout',
  'mail',
  'me',
  'media',
  'mod',
  'moderation',
  'moderator',
  'moderators',
  'news',
  'nobody',
  'noreply',
  'no_reply',
  'notifications',
  'null',
  'official',
  'openapi',
  'operator',
  'owner',
  'postmaster',
  'posts',
  'privacy',
  'register',
  'root',
  'search',
  'security',
  'settings',
  'social_connect',
  'socialconnect',
  'staff',
  'status',
  'superuser',
  'support',
  'sysadmin',
  'system',
  'team',
  'terms',
  'trust',
  'undefined',
  'verified',
  'webmaster',
])

/** Words whose lookalikes are reserved too. Not short ones with i or l: `ali` looks like `all`, but is a name. */
const lookingReserved = [...reserved].filter((word) => word.length > 4 || (word.length > 2 && !/[il]/.test(word)))
let looks: Set<string> | null = null

export function isReserved(handle: string): boolean {
  looks ??= new Set(lookingReserved.map(lookOf))
  const isLookalike = readings(handle.replaceAll('_', '')).some((reading) => looks?.has(reading))
  return reserved.has(handle) || isLookalike || isOfficialName(handle)
}

import { defineAction } from '../../platform/security/actions.ts'
import type { AccessRule } from '../../platform/security/decide.ts'
import { startGroups } from '../messaging/policy.ts'
import { editPosts, publishPosts } from '../posts/policy.ts'
import { groupAccountMinutes, newAccountMinutes } from './variables.ts'

export const explainAccess = defineAction('access:explain', {
  allows: 'Ask why another account may or may not do something',
  role: 'moderator',
})

/** What decides by circumstances instead of roles and grants. `src/eager.ts` declares them for every request. */
export const rules: readonly AccessRule[] = [
  { name: 'not-suspended', action: '*', decide: ({ isSuspended }) => (isSuspended ? 'deny' : 'abstain') },
  { name: 'verified-address', action: '*', decide: ({ isVerified }) => (isVerified ? 'abstain' : 'deny') },
  { name: 'own-posts', action: editPosts, of: 'owner', decide: ({ isOwner }) => (isOwner ? 'allow' : 'abstain') },
  {
    name: 'account-age',
    action: publishPosts,
    decide: ({ env, now, createdAt }) => (createdAt > now - newAccountMinutes({ env }) * 60_000 ? 'deny' : 'abstain'),
  },
  {
    name: 'account-age-of-groups',
    action: startGroups,
    decide: ({ env, now, createdAt }) => (createdAt > now - groupAccountMinutes({ env }) * 60_000 ? 'deny' : 'abstain'),
  },
]

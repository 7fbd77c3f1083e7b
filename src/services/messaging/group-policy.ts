export const roles = ['owner', 'admin', 'member'] as const
export type Role = (typeof roles)[number]

export const addingRules = ['everyone', 'admins'] as const
export type Adding = (typeof addingRules)[number]

export type Act = 'write' | 'add' | 'remove' | 'set-role' | 'edit' | 'decide'

/** Who may do what in a group. `target` is the role of the member whom the act concerns. */
export type Question = { act: Act; role: Role; target?: Role | null; locked: boolean; adding: Adding }

const rank: Record<Role, number> = { member: 0, admin: 1, owner: 2 }

export function mayDo({ act, role, target, locked, adding }: Question): boolean {
  if (act === 'write') return !locked || role !== 'member'
  if (act === 'add') return adding === 'everyone' || role !== 'member'
  if (act === 'set-role') return role === 'owner' && target !== 'owner'
  if (act === 'remove') return rank[role] > rank[target ?? 'member']
  return role !== 'member'
}

type Candidate = { accountId: number; role: Role; since: number }

/** Who owns the group when its owner leaves: the oldest admin, else the oldest member. */
export function successorOf<C extends Candidate>(others: readonly C[]): C | null {
  const admins = others.filter(({ role }) => role === 'admin')
  const candidates = admins.length > 0 ? admins : others
  return candidates.toSorted((a, b) => a.since - b.since || a.accountId - b.accountId)[0] ?? null
}

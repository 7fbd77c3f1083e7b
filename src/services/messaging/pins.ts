import type { Id } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'
import { mayDo } from './group-policy.ts'

export const MAX_PINS = 3

/** Whether the member may pin messages and remove pins. In a conversation of two, both may. */
export function mayPin({ rows }: ConversationCore, accountId: Id): boolean {
  const [group, member] = [rows.group.one(), rows.group.member(accountId)]
  if (!group || !member) return true
  return mayDo({ act: 'edit', role: member.role, locked: group.locked === 1, adding: group.adding })
}

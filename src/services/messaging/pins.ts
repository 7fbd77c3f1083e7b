import type { Id } from '../../platform/data/ids.ts'
import type { ConversationCore } from './conversation-core.ts'

/** Whether the member may pin messages and remove pins. In a conversation of two, both may. */
export function mayPin(core: ConversationCore, accountId: Id): boolean {
  return core.isMember(accountId)
}

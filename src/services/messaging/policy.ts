import type { Config } from '../../platform/config.ts'
import type { Id } from '../../platform/data/ids.ts'
import { defineAction } from '../../platform/security/actions.ts'
import { blindIndex } from '../../platform/security/crypto.ts'
import { defineScope } from '../../platform/security/scopes.ts'

export const readMessages = defineScope('messages:read', 'Read your conversations and messages')
export const writeMessages = defineScope('messages:write', 'Send messages, and answer requests')

const ID_LENGTH = 32

/** The only conversation of two accounts. Its id names neither of them, so it may outlive an erased one. */
export async function conversationOf(config: Config, one: Id, other: Id): Promise<string> {
  const pair = [Number(one), Number(other)].sort((a, b) => a - b).join(':')
  return (await blindIndex(config, 'conversation', pair)).slice(0, ID_LENGTH)
}

export const startGroups = defineAction('groups:start', { allows: 'Start group conversations', role: 'user' })

/** The id of a new group: always the same one for the same `Idempotency-Key` of the account. */
export async function groupOf(config: Config, ownerId: Id, key: string | undefined): Promise<string> {
  if (key === undefined) return crypto.getRandomValues(new Uint8Array(ID_LENGTH / 2)).toHex()
  return (await blindIndex(config, 'group', `${ownerId}:${key}`)).slice(0, ID_LENGTH)
}

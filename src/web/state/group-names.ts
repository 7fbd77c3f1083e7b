import { signal } from '@preact/signals'
import { client } from '../api/client.ts'

const MAX_PAGES = 2

/** The names of the members of the group that is shown, by their id; null for a conversation of two. */
export const groupNames = signal<ReadonlyMap<string, string> | null>(null)

/** A group has at most two pages of members. */
export async function loadGroupNames(conversationId: string): Promise<void> {
  const names = new Map<string, string>()
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const { items, nextCursor } = await client.listMembers({ conversationId, cursor, limit: 50 })
    for (const { account } of items) names.set(account.id, account.displayName)
    if (nextCursor === null) break
    cursor = nextCursor
  }
  groupNames.value = names
}

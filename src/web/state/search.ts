import { signal } from '@preact/signals'
import type { Account, FoundPost, TagUse } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onAccountChange } from '../api/session.ts'
import { createList, type List, reload } from './list.ts'
import { storePost } from './posts.ts'

const PAUSE_MS = 200
const SUGGESTIONS = 5

/** What was typed. It survives a visit to another view. */
export const typed = signal('')
export const foundPeople = signal<Account[]>([])
export const foundTags = signal<TagUse[]>([])
export const foundPosts = signal<List<FoundPost> | null>(null)
onAccountChange(() => type(''))

let timer = 0
let asked = 0

/** Searches after a short pause in typing. Answers to earlier texts are ignored. */
export function type(text: string): void {
  typed.value = text
  clearTimeout(timer)
  asked += 1
  if (text.trim() === '') foundPosts.value = null
  else timer = window.setTimeout(() => void search(text.trim(), asked), PAUSE_MS)
}

async function search(q: string, number: number): Promise<void> {
  const list = createList<FoundPost>(
    (query) => client.searchPosts({ ...query, q }),
    ({ post }) => storePost(post),
  )
  const query = { q, limit: SUGGESTIONS }
  const [people, tags] = await Promise.allSettled([
    client.searchAccounts(query),
    client.searchTags(query),
    reload(list),
  ])
  if (number !== asked) return
  foundPeople.value = people.status === 'fulfilled' ? people.value.items : []
  foundTags.value = tags.status === 'fulfilled' ? tags.value.items : []
  foundPosts.value = list
}

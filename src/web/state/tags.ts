import { signal } from '@preact/signals'
import { client } from '../api/client.ts'
import { onAccountChange } from '../api/session.ts'

/** The hashtags that the person follows; null before they are loaded. */
export const followedTags = signal<ReadonlySet<string> | null>(null)
onAccountChange(() => {
  followedTags.value = null
})

export async function loadFollowedTags(): Promise<void> {
  const { items } = await client.listFollowedTags()
  followedTags.value = new Set(items.map(({ tag }) => tag))
}

export async function setFollowingTag(tag: string, follows: boolean): Promise<void> {
  await (follows ? client.followTag({ tag }) : client.unfollowTag({ tag }))
  const others = [...(followedTags.value ?? [])].filter((other) => other !== tag)
  followedTags.value = new Set(follows ? [...others, tag] : others)
}

export const tagPath = (tag: string) => `/tags/${encodeURIComponent(tag)}`

import { setTimeout as sleep } from 'node:timers/promises'
import { fetchInTime } from '../fetch-in-time.ts'
import type { Person } from './logins.ts'
import { ensure } from './story.ts'

const POLL_MS = 500
const MOST_MS = 30_000

/** Each person writes about the tag. When all posts are indexed, the job of the minute is run, which lists what is trending. */
export async function trend(people: readonly Person[], url: string, tag: string): Promise<void> {
  const [{ client }] = people as [Person]
  for (const person of people) await person.client.createPost({ text: `What a #${tag} tonight` })
  await until(async () => {
    const { items } = await client.searchTags({ q: tag })
    return items[0]?.uses === people.length
  }, 'all posts with the hashtag are counted')
  await fetchInTime(`${url}/cdn-cgi/local/scheduled`)
  await until(async () => {
    const { items } = await client.getTrendingTags()
    return items.some((item) => item.tag === tag && item.actors === people.length)
  }, 'the hashtag is listed with the number of people who use it')
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + MOST_MS; performance.now() < end; await sleep(POLL_MS)) {
    if (await holds()) return
  }
  ensure(false, what)
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Person } from './logins.ts'
import { ensure } from './story.ts'

const POLL_MS = 1_000
const MOST_MS = 20_000

/** Waits for the like in the insights of its author. The queue delivers activities every five seconds. */
export async function readInsights({ client }: Person): Promise<void> {
  const until = Date.now() + MOST_MS
  let likes = 0
  while (likes === 0 && Date.now() < until) {
    await sleep(POLL_MS)
    const { points } = await client.getMyInsights({ step: 'day' })
    likes = points.at(-1)?.likes ?? 0
  }
  ensure(likes === 1, 'the like is in the insights of its author')
}

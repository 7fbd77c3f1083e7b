import { randomUUID } from 'node:crypto'
import type { Id } from '../../src/platform/data/ids.ts'
import { type Community, pick } from '../bench/seed.ts'
import type { Request } from './user.ts'

/** What a random request of a person is: 70 % home feeds, 15 % other reads and 15 % writes. */
export function mixOf({ posts, accounts }: Community): () => Request {
  const somePost = () => pick(posts).id
  const reads: (() => string)[] = [
    () => `/v1/posts/${somePost()}`,
    () => `/v1/posts/${somePost()}/comments`,
    () => `/v1/accounts/${pick(accounts)}`,
    () => `/v1/accounts/${pick(accounts)}/posts`,
    () => '/v1/notifications',
  ]
  return () => {
    const roll = Math.random()
    if (roll < 0.7) return { method: 'GET', path: '/v1/feeds/home' }
    if (roll < 0.85) return { method: 'GET', path: pick(reads)() }
    return write(Math.random(), somePost)
  }
}

/** Likes, posts and comments in the proportion of a day: five, one and a half. */
function write(roll: number, somePost: () => Id): Request {
  if (roll < 5 / 6.5) return { method: 'PUT', path: `/v1/posts/${somePost()}/like` }
  const parentId = roll > 6 / 6.5 ? somePost() : undefined
  const body = JSON.stringify({ text: `Low tide at ${Date.now() % 86_400_000}: who walks to the island?`, parentId })
  return { method: 'POST', path: '/v1/posts', body, key: randomUUID() }
}

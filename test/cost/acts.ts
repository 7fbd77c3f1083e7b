import type { Id } from '../../src/platform/data/ids.ts'
import { type Community, pick } from '../bench/seed.ts'
import type { Request } from '../load/user.ts'

/** What somebody does, how often on a day on which they are active, and how often the count repeats it. */
export type Act = { name: string; perDay: number; times: number; request: (person: Id, n: number) => Request }

const MENTIONING_COMMENTS = 0.4
const json = (value: object) => JSON.stringify(value)

/**
 * A day of an active person. Seven notifications follow from it: of five likes, half a comment and 0.3 follows, and of the
 * people whom the post and two of five comments mention.
 */
export function actsOf({ accounts, posts, follows }: Community): Act[] {
  const followed = Map.groupBy(follows, ({ followerId }) => followerId)
  const strangers = (person: Id) => {
    const known = new Set(followed.get(person)!.map(({ followeeId }) => followeeId))
    return accounts.filter((id) => !known.has(id))
  }
  const get = (path: string): Request => ({ method: 'GET', path })
  const somebody = () => `@person_${pick(accounts)}`
  const somePost = () => pick(posts).id
  const reads = [
    () => `/v1/posts/${somePost()}`,
    () => `/v1/posts/${somePost()}/comments`,
    () => `/v1/accounts/${pick(accounts)}`,
    () => `/v1/accounts/${pick(accounts)}/posts`,
    () => '/v1/notifications',
  ]
  const post = (fields: object): Request => ({ method: 'POST', path: '/v1/posts', body: json(fields) })
  return [
    { name: 'home page', perDay: 10, times: 1_000, request: () => get('/v1/feeds/home') },
    { name: 'other read', perDay: 29, times: 1_500, request: (_, n) => get(reads[n % reads.length]!()) },
    { name: 'post', perDay: 1, times: 240, request: () => post({ text: `Who walks to the island, ${somebody()}?` }) },
    { name: 'like', perDay: 5, times: 480, request: () => ({ method: 'PUT', path: `/v1/posts/${somePost()}/like` }) },
    {
      name: 'comment',
      perDay: 0.5,
      times: 240,
      request: (_, n) => {
        const mention = (n * MENTIONING_COMMENTS) % 1 < MENTIONING_COMMENTS ? ` with ${somebody()}` : ''
        return post({ text: `Me${mention}!`, parentId: somePost() })
      },
    },
    {
      name: 'follow',
      perDay: 0.3,
      times: 240,
      request: (person) => ({ method: 'PUT', path: `/v1/accounts/${pick(strangers(person))}/follow` }),
    },
  ]
}

/** One of the thirty other reads: it comes when the limits of the day before are forgotten. Its path is the cheapest. */
export const firstRequest = (): Act => ({
  name: 'first request of a day',
  perDay: 1,
  times: 1,
  request: () => ({ method: 'GET', path: '/v1/notifications/unread-count' }),
})

import type { Id } from '../../src/platform/data/ids.ts'
import type { Traffic } from './load.ts'
import { type Community, followings } from './seed.ts'
import type { Tokens } from './tokens.ts'

/** One line of the report. If a case `writes`, its CPU time includes the processing of its events. */
export type Case = { name: string; worker: string; traffic: Traffic; writes?: boolean }

export const names = {
  hello: 'Hono hello',
  checked: 'hello, authenticated and validated',
  oneRow: 'one-row select',
  homeFeed: (followed: number) => `home feed, ${followed} followed`,
  nearFeed: 'home feed, 200 followed, one shard',
}

const newPost = JSON.stringify({ text: 'Low tide at noon: who walks to the island with me? #tides' })

/** A prime number, because it must have no factor in common with the 300 tokens: see `Traffic`. */
const POSTS = 19_997

export async function makeCases({ posts, readers, neighbours }: Community, tokens: Tokens): Promise<Case[]> {
  const issueTokenPair = (ids: Id[]) => Promise.all(ids.map(tokens.tokenOf))
  const perFollowing = await Promise.all(followings.map((n) => issueTokenPair(readers[n])))
  const everyone = perFollowing.flat()
  const get = (name: string, worker: string, paths: string[], who: string[] = []): Case => ({
    name,
    worker,
    traffic: { method: 'GET', paths, tokens: who },
  })
  const send = (name: string, method: string, paths: string[], body?: string): Case => ({
    name,
    worker: 'product',
    traffic: { method, paths, tokens: everyone, body },
    writes: true,
  })
  const ids = posts.slice(0, POSTS).map(({ id }) => id)
  const somePosts = ids.map((id) => `/v1/posts/${id}`)
  const likes = somePosts.map((path) => `${path}/like`)
  const accounts = followings.flatMap((n) => readers[n])
  const byRest = ids.map((id) => `/rest/${id}`)
  const byRpc = ids.map((id, i) => `/rpc/${id}/${accounts[i % accounts.length]}`)
  const rows = Array.from({ length: 1_000 }, (_, i) => `/${i + 1}`)
  const inSession = rows.map((path) => `/session${path}`)
  const byId = (ids: Id[]) => ids.map((id) => `/${id}`)
  const home = ['/v1/feeds/home?limit=20']
  return [
    get('bare fetch handler', 'bare', ['/']),
    get(names.hello, 'hello', ['/']),
    get(names.checked, 'checked', ['/?limit=20'], everyone),
    get('hello behind the whole platform', 'guarded', ['/?limit=20'], everyone),
    get(names.oneRow, 'one-row', rows),
    get('one-row select in a session', 'one-row', inSession),
    get('read a post', 'product', somePosts, everyone),
    get('read a post by REST, between Workers', 'caller', byRest, everyone),
    get('read a post by RPC, between Workers', 'caller', byRpc),
    ...followings.map((n, i) => get(names.homeFeed(n), 'product', home, perFollowing[i])),
    get('SQL of that home feed alone, two shards', 'statements', byId(readers[200])),
    get(names.nearFeed, 'product', home, await issueTokenPair(neighbours)),
    get('SQL of that home feed alone, one shard', 'statements', byId(neighbours)),
    get('notifications', 'product', ['/v1/notifications?limit=20'], everyone),
    get('search of posts', 'product', ['/v1/search/posts?q=tide%20island'], everyone),
    get('search of people, as they are typed', 'product', ['/v1/search/accounts?q=person_1'], everyone),
    get('feed of a hashtag', 'product', ['/v1/feeds/tags/tides?limit=20'], everyone),
    get('trending hashtags', 'product', ['/v1/trending/tags'], everyone),
    get('insights of an author', 'product', ['/v1/me/insights'], everyone),
    send('like a post, event included', 'PUT', likes),
    send('create a post, event included', 'POST', ['/v1/posts'], newPost),
  ]
}

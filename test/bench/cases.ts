import type { Traffic } from './load.ts'
import { type Community, followings } from './seed.ts'
import type { Tokens } from './tokens.ts'

/** One line of the report. What follows from a case that `writes`, its events, counts with it. */
export type Case = { name: string; worker: string; traffic: Traffic; writes?: boolean }

export const names = {
  hello: 'Hono hello',
  checked: 'hello, authenticated and validated',
  oneRow: 'one-row select',
  homeFeed: (followed: number) => `home feed, ${followed} followed`,
  nearFeed: 'home feed, 200 followed, one shard',
}

/** A prime number, so that each of the 300 people likes each post once before anyone likes one again. */
const POSTS = 19_997

export async function makeCases({ posts, readers, neighbours }: Community, tokens: Tokens): Promise<Case[]> {
  const tokensOf = (n: (typeof followings)[number]) => Promise.all(readers[n].map(tokens.tokenOf))
  const perFollowing = await Promise.all(followings.map(tokensOf))
  const everyone = perFollowing.flat()
  const get = (worker: string, paths: string[], who: string[] = []) => ({
    worker,
    traffic: { method: 'GET', paths, tokens: who },
  })
  const send = (method: string, paths: string[], body?: string) => ({
    worker: 'product',
    traffic: { method, paths, tokens: everyone, body },
    writes: true,
  })
  const somePosts = posts.slice(0, POSTS).map(({ id }) => `/v1/posts/${id}`)
  const rows = Array.from({ length: 1_000 }, (_, i) => `/${i + 1}`)
  const home = ['/v1/feeds/home?limit=20']
  const newPost = JSON.stringify({ text: 'Low tide at noon: who walks to the island with me? #tides' })
  return [
    { name: 'bare fetch handler', ...get('bare', ['/']) },
    { name: names.hello, ...get('hello', ['/']) },
    { name: names.checked, ...get('checked', ['/?limit=20'], everyone) },
    { name: 'hello behind the whole platform', ...get('guarded', ['/?limit=20'], everyone) },
    { name: names.oneRow, ...get('one-row', rows) },
    {
      name: 'one-row select in a session',
      ...get(
        'one-row',
        rows.map((path) => `/session${path}`),
      ),
    },
    { name: 'read a post', ...get('product', somePosts, everyone) },
    ...followings.map((n, i) => ({
      name: names.homeFeed(n),
      ...get('product', home, perFollowing[i]),
    })),
    { name: names.nearFeed, ...get('product', home, await Promise.all(neighbours.map(tokens.tokenOf))) },
    {
      name: 'statements of a home feed, two shards',
      ...get(
        'statements',
        readers[200].map((id) => `/${id}`),
      ),
    },
    {
      name: 'statement of a home feed, one shard',
      ...get(
        'statements',
        neighbours.map((id) => `/${id}`),
      ),
    },
    { name: 'notifications', ...get('product', ['/v1/notifications?limit=20'], everyone) },
    {
      name: 'like a post',
      ...send(
        'PUT',
        somePosts.map((path) => `${path}/like`),
      ),
    },
    { name: 'create a post', ...send('POST', ['/v1/posts'], newPost) },
  ]
}

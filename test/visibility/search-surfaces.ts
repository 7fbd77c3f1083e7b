import { env } from 'cloudflare:workers'
import type { UserCtx } from '../../src/platform/context.ts'
import { getPostInsights } from '../../src/services/analytics/insights.ts'
import { PeriodQuery } from '../../src/services/analytics/period.ts'
import { searchAccounts } from '../../src/services/search/people.ts'
import { PostSearchQuery, searchPosts } from '../../src/services/search/posts.ts'
import { TagFeedQuery, tagFeed } from '../../src/services/search/tag-feed.ts'
import { searchTags } from '../../src/services/search/tags.ts'
import { ALL, keyOf } from '../../src/services/search/trend-lists.ts'
import { forgetKept, trendingPosts } from '../../src/services/search/trending.ts'
import type { Model } from './model.ts'
import type { Read, Surface } from './surfaces.ts'

/** Like a list that is hidden, because the name of a read counts as shown unless its answer is undefined. */
const unlessEmpty = (names: unknown[]) => (names.length > 0 ? names.sort() : undefined)

const TRENDING = 10

/** All posts, also those that are deleted or hidden: a list in KV may be older than that. */
async function storeTrendsOf({ posts, idOf }: Read): Promise<void> {
  const post = posts.map((name) => ({ key: idOf(name), actors: 3, hours: 1 }))
  await env.CACHE.put(keyOf(ALL), JSON.stringify({ post, tag: [], link: [] }))
  forgetKept()
}

const rootsThat = ({ posts, sees, isHidden }: Model, viewer?: string | null) =>
  [...posts].flatMap(([id, { open, root, author }]) => {
    const isShown = viewer === undefined ? !isHidden(author) : sees(viewer, id)
    return open && root === null && isShown ? [id] : []
  })

/** What is read from the index and from KV: copies, which may be older than what hides a post. */
export const searchSurfaces: Record<string, Surface> = {
  searchPosts: {
    of: 'person',
    actual: async ({ ctx, nameOf, handleOf, name }) => {
      const query = PostSearchQuery.parse({ q: `from:${handleOf(name)}`, limit: '50' })
      return unlessEmpty((await searchPosts(ctx, query)).items.map(({ id }) => nameOf(id)))
    },
    expected: ({ posts, sees }, viewer, name) => {
      const found = [...posts].filter(([id, { author, open, root }]) => {
        return author === name && open && (root === null || posts.has(root)) && sees(viewer, id)
      })
      return unlessEmpty(found.map(([id]) => id))
    },
  },
  searchAccounts: {
    of: 'person',
    actual: async ({ ctx, nameOf, handleOf, name }) =>
      unlessEmpty((await searchAccounts(ctx, { q: `@${handleOf(name)}`, limit: 5 })).items.map(({ id }) => nameOf(id))),
    expected: ({ knows, blocks }, viewer, name) =>
      knows(viewer, name) && !blocks.has(`${viewer} ${name}`) ? [name] : undefined,
  },
  getTagFeed: {
    of: 'everyone',
    actual: async ({ ctx, nameOf, tag }) => {
      const { items } = await tagFeed(ctx, { tag, ...TagFeedQuery.parse({ limit: '50' }) })
      return unlessEmpty(items.map(({ id }) => nameOf(id)))
    },
    expected: (model, viewer) => unlessEmpty(rootsThat(model, viewer)),
  },
  // Its number is the same for everyone, and counts no post that is hidden from everyone.
  searchTags: {
    of: 'everyone',
    actual: async ({ ctx, tag }) => (await searchTags(ctx, { q: tag, limit: 5 })).items[0]?.uses,
    expected: (model) => rootsThat(model).length || undefined,
  },
  getTrendingPosts: {
    of: 'everyone',
    actual: async (read) => {
      await storeTrendsOf(read)
      return (await trendingPosts(read.ctx, {})).items.map(({ post }) => read.nameOf(post.id))
    },
    expected: ({ posts, sees }, viewer) => [...posts.keys()].filter((id) => sees(viewer, id)).slice(0, TRENDING),
  },
  getPostInsights: {
    of: 'post',
    actual: async ({ ctx, idOf, name }) => {
      if (ctx.viewer === null) return undefined
      return (await getPostInsights(ctx as UserCtx, { postId: idOf(name), ...PeriodQuery.parse({}) })) && 'shown'
    },
    expected: ({ posts, sees }, viewer, name) =>
      posts.get(name)?.author === viewer && sees(viewer, name) ? 'shown' : undefined,
  },
}

import { searchAccounts } from '../../src/services/search/people.ts'
import { PostSearchQuery, searchPosts } from '../../src/services/search/posts.ts'
import type { Surface } from './surfaces.ts'

/** Like a list that is hidden, because the name of a read counts as shown unless its answer is undefined. */
const unlessEmpty = (names: unknown[]) => (names.length > 0 ? names.sort() : undefined)

/** What searches find: public posts, comments on public posts that exist, and accounts without a block. */
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
}

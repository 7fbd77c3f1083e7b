import { classify, nothing, type PersonalData } from '../../platform/personal-data.ts'
import { eraseIndexed } from './erasure.ts'
import { feedIndex, publicPosts } from './tables.ts'

/** Lists of the ids of posts, which `posts` exports. */
export const feedData: PersonalData = {
  inventory: {
    ...classify(feedIndex, { authorId: 'owner', lane: 'technical', postId: 'technical' }),
    ...classify(publicPosts, { postId: 'technical', authorId: 'owner' }),
  },
  exported: nothing,
  erase: eraseIndexed,
}

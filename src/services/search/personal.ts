import { classify, nothing, type PersonalData } from '../../platform/personal-data.ts'
import { eraseIndexed } from './erasure.ts'
import { accountSearch, postSearch, tagPosts, tags } from './tables.ts'

/** Only what `posts` and `accounts` export too. The rows of posts end with the posts. */
export const searchData: PersonalData = {
  inventory: {
    ...classify(postSearch, {
      id: 'technical',
      text: 'technical',
      tags: 'technical',
      handle: 'technical',
      facts: 'technical',
    }),
    ...classify(accountSearch, { id: 'owner', handle: 'technical', name: 'technical', bio: 'technical' }),
    ...classify(tagPosts, { postId: 'technical', tag: 'technical' }),
    ...classify(tags, { tag: 'technical', uses: 'technical' }),
  },
  exported: nothing,
  erase: eraseIndexed,
}

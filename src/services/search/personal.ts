import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, jsonFile, type PersonalData } from '../../platform/personal-data.ts'
import { eraseSearch } from './erasure.ts'
import { followedTags } from './queries.ts'
import {
  accountSearch,
  hiddenTrends,
  postSearch,
  rebuilds,
  searchMarks,
  tagFollows,
  tagPosts,
  tags,
  trendFolds,
  trendHours,
  trendVotes,
} from './tables.ts'

const technical = 'technical'

/** The index has what `posts` and `accounts` export. The rows of posts end with the posts, and votes after a day. */
export const searchData: PersonalData = {
  inventory: {
    ...classify(postSearch, { id: technical, text: technical, tags: technical, handle: technical, facts: technical }),
    ...classify(accountSearch, { id: 'owner', handle: technical, name: technical, bio: technical }),
    ...classify(tagPosts, { postId: technical, tag: technical }),
    ...classify(tags, { tag: technical, uses: technical }),
    ...classify(tagFollows, { accountId: 'owner', tag: 'exported' }),
    ...classify(trendVotes, {
      window: technical,
      actorId: 'owner',
      kind: technical,
      key: technical,
      lang: technical,
      weight: technical,
      sourceId: technical,
    }),
    ...classify(trendHours, {
      window: technical,
      kind: technical,
      key: technical,
      lang: technical,
      actors: technical,
      newcomers: technical,
      others: technical,
    }),
    ...classify(trendFolds, { window: technical }),
    ...classify(searchMarks, { firstId: technical }),
    ...classify(rebuilds, { shard: technical, stage: technical, after: technical }),
    ...classify(hiddenTrends, { kind: technical, key: technical, isHidden: technical, eventId: technical }),
    'KV CACHE trending:<language>': { value: technical },
  },
  exported,
  erase: eraseSearch,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  yield jsonFile('followed-hashtags.json', await followedTags(ctx, accountId))
}

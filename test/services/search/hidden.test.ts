import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { type Page, PageQuery } from '../../../src/platform/data/page.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { getMyInsights } from '../../../src/services/analytics/insights.ts'
import { PeriodQuery } from '../../../src/services/analytics/period.ts'
import { homeFeed } from '../../../src/services/feed/feeds.ts'
import type { Post } from '../../../src/services/posts/views.ts'
import { indexAccount } from '../../../src/services/search/indexing.ts'
import { searchAccounts } from '../../../src/services/search/people.ts'
import { PostSearchQuery, searchPosts } from '../../../src/services/search/posts.ts'
import { TagFeedQuery, tagFeed } from '../../../src/services/search/tag-feed.ts'
import { followTag } from '../../../src/services/search/tag-follows.ts'
import { searchTags } from '../../../src/services/search/tags.ts'
import { storeTrends } from '../../../src/services/search/trend-lists.ts'
import { forgetKept, trendingLinks, trendingPosts, trendingTags } from '../../../src/services/search/trending.ts'
import type { FoundPost } from '../../../src/services/search/views.ts'
import { windowOf } from '../../../src/services/search/votes.ts'
import { accountsOn } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { insertRows, shardHolding } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { asModerator, asUser } from '../../support/viewers.ts'

type Way = {
  visibility?: 'followers'
  hide: (hider: Id, viewer: Id) => Promise<unknown>
  isEarly?: true
  /** Counts of hashtags and trends are of what everybody may read without a login, the same for all viewers. */
  isPublic?: true
}
const ways: Record<string, Way> = {
  'a post for followers': { visibility: 'followers', hide: async () => {} },
  'the post of an account that blocks the viewer': {
    isPublic: true,
    hide: (hider, viewer) => blockAccount(asUser(hider), { accountId: viewer }),
  },
  'the post of an account that the viewer blocks': {
    isPublic: true,
    hide: (hider, viewer) => blockAccount(asUser(viewer), { accountId: hider }),
  },
  'the post of a suspended account, before its events': {
    isEarly: true,
    hide: (hider, viewer) => suspendAccount(asModerator(viewer), { accountId: hider }),
  },
  'the post of a suspended account': {
    hide: (hider, viewer) => suspendAccount(asModerator(viewer), { accountId: hider }),
  },
}
let worlds = 0

/** More accounts than a search looks at once, of which every third is hidden. */
test('a search for people is as long as without the accounts that are hidden', async () => {
  const [viewer] = await accountsOn(0)
  const found = async (word: string) =>
    (await searchAccounts(asUser(viewer), { q: word, limit: 50 })).items.map(({ handle }) => handle.replace(word, ''))
  for (const [word, total] of [
    ['fewer', 60],
    ['among', 90],
  ] as const) {
    const names = Array.from({ length: total }, (_, i) => ({ isHidden: total === 90 && i % 3 === 0, i }))
    let shown = 0
    for (const { isHidden, i } of names) {
      const [id] = await accountsOn(0)
      const handle = isHidden ? `${word}_hidden_${i}` : `${word}_${shown++}`
      await shardHolding(id).prepare('update accounts set handle = ? where id = ?').bind(handle, Number(id)).run()
      if (isHidden) await blockAccount(asUser(id), { accountId: viewer })
      await indexAccount(queues.context(), { accountId: id })
    }
  }
  const few = await found('fewer')
  expect(few).toHaveLength(50)
  expect(await found('among')).toEqual(few)
})

/** All that a viewer can learn from lists of posts, without ids and the contents of cursors. */
async function listsOf(viewer: Id, word: string): Promise<unknown[]> {
  const answers: unknown[] = []
  const walk = async (name: string, read: (cursor?: string) => Promise<Page<Post | FoundPost>>) => {
    for (let cursor: string | undefined, pages = 0; pages < 8; pages++) {
      const { items, nextCursor, previousCursor } = await read(cursor)
      const texts = items.map((item) => ('post' in item ? [item.post.text, item.snippet] : [item.text]))
      answers.push([name, texts, nextCursor?.length, previousCursor?.length])
      if (!nextCursor) return
      cursor = nextCursor
    }
  }
  const ctx = asUser(viewer)
  for (const limit of ['1', '4', '50']) {
    for (const order of ['newest', 'best']) {
      for (const q of [word, `#${word} has:link`])
        await walk(`${q} ${order} ${limit}`, (cursor) => {
          return searchPosts(ctx, PostSearchQuery.parse({ q, order, limit, cursor }))
        })
    }
    await walk(`tag ${limit}`, (cursor) => tagFeed(ctx, { tag: word, ...TagFeedQuery.parse({ limit, cursor }) }))
    await walk(`home ${limit}`, (cursor) => homeFeed(ctx, PageQuery.parse({ limit, cursor })))
  }
  const people = await searchAccounts(ctx, { q: word, limit: 10 })
  return [...answers, people.items.length]
}

/** What trends, suggestions and statistics say, as far as it concerns the word. */
async function countsOf(viewer: Id, word: string): Promise<unknown[]> {
  const ctx = asUser(viewer)
  forgetKept()
  await storeTrends(queues.context())
  const [posts, tags, links, found, insights] = await Promise.all([
    trendingPosts(ctx, {}),
    trendingTags(ctx, {}),
    trendingLinks(ctx, {}),
    searchTags(ctx, { q: word, limit: 10 }),
    getMyInsights(ctx, PeriodQuery.parse({})),
  ])
  return [
    posts.items.flatMap(({ post, ...why }) => (post.text.includes(word) ? [why] : [])),
    tags.items.filter(({ tag }) => tag === word),
    links.items.filter(({ url }) => url.includes(word)),
    found.items,
    insights.points,
  ]
}

async function worldOf({ visibility, hide, isEarly }: Way, hasHidden: boolean) {
  const [author, hider, viewer] = await accountsOn(0, 1, 0)
  const word = `twin${String(++worlds).padStart(4, '0')}`
  const ofWord = (text: string) => ({ text: `#${word} ${text} https://${word}.example/` })
  await followTag(asUser(viewer), { tag: word })
  const ids: Id[] = []
  for (const text of ['first one', 'second and longer', 'third']) ids.push(await publishedId(author, ofWord(text)))
  if (hasHidden) await publishedId(hider, { ...ofWord(`${word} hidden`), visibility })
  for (const text of ['fourth', 'fifth']) await publishedId(author, ofWord(text))
  const window = windowOf(Date.now())
  const keys = { tag: word, link: `https://${word}.example/`, post: ids[0]! }
  const votes = [1, 2, 3].flatMap((actor_id) =>
    Object.entries(keys).map(([kind, key]) => ({ window, actor_id, kind, key, lang: 'en', weight: 1, source_id: 1 })),
  )
  await insertRows(env.INDEX, 'trend_votes', votes)
  await queues.deliver()
  if (hasHidden) await hide(hider, viewer)
  if (!isEarly) await queues.deliver()
  return { viewer, word }
}

test.each(Object.entries(ways))('nobody can tell from any answer whether %s exists', async (_, way) => {
  const seen = [await worldOf(way, true), await worldOf(way, false)]
  const alike = (answers: unknown, word: string) => JSON.stringify(answers).replaceAll(word, 'twin')
  const [one, other] = await Promise.all(seen.map(async ({ viewer, word }) => alike(await listsOf(viewer, word), word)))
  expect(one).toEqual(other)
  expect(one).toContain('first one')
  if (!way.isEarly && !way.isPublic) {
    const counts = []
    for (const { viewer, word } of seen) counts.push(alike(await countsOf(viewer, word), word))
    expect(counts[0]).toEqual(counts[1])
    expect(counts[0]).toContain('"actors":')
  }
  await queues.deliver()
})

test('without the index, searches are refused with the time to wait, and the rest of the system answers', async () => {
  const broken = {
    withSession: () => broken,
    prepare: () => {
      throw new Error('down')
    },
    batch: () => {
      throw new Error('down')
    },
  }
  const bindings = { ...env, INDEX: broken }
  for (const path of ['posts', 'accounts', 'tags']) {
    const response = await fetchWith(bindings, `/v1/search/${path}?q=hello`)
    expect([path, response.status, response.headers.get('retry-after')]).toEqual([path, 503, '5'])
    expect(await response.json()).toMatchObject({ code: 'unavailable' })
  }
  const [ada] = await accountsOn(0)
  for (const path of [`/v1/accounts/${ada}`, `/v1/accounts/${ada}/posts`]) {
    expect((await fetchWith(bindings, path)).status).toBe(200)
  }
})

import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { homeFeed } from '../../../src/services/feed/feeds.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { TagFeedQuery, tagFeed } from '../../../src/services/search/tag-feed.ts'
import { followTag, listFollowedTags, unfollowTag } from '../../../src/services/search/tag-follows.ts'
import { accountsOn } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { insertRows, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { newestFirst, publishedId } from '../../support/posting.ts'
import { seedFollows, seedPosts } from '../../support/seed.ts'
import { asAnonymous, asModerator, asUser, failure, idsOf } from '../../support/viewers.ts'

let made = 0
const newTag = () => `tag${++made}ö`
const feed = async (tag: string, query: object = {}, viewer: Id | null = null) =>
  idsOf(await tagFeed(viewer ? asUser(viewer) : asAnonymous(), { ...TagFeedQuery.parse(query), tag }))

test('a feed of hashtags lists posts with any of them, all of them, and none of others', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const [a, b, c] = [newTag(), newTag(), newTag()]
  const one = await publishedId(ada, { text: `#${a} one` })
  const two = await publishedId(bob, { text: `#${a.toUpperCase()} #${b}` })
  const three = await publishedId(ada, { text: `#${b} #${c}` })
  await publishedId(ada, { text: `#${a}`, visibility: 'followers' })
  await publishedId(bob, { text: `#${a} a comment`, parentId: one })
  await publishedId(bob, { text: `${a} without a sign, and #${a}longer` })
  await queues.deliver()
  expect(await feed(a)).toEqual(newestFirst(two, one))
  expect(await feed(a, { any: b })).toEqual(newestFirst(three, two, one))
  expect(await feed(a, { all: b })).toEqual([two])
  expect(await feed(b, { none: a })).toEqual([three])
  expect(await feed(b, { any: a, none: `#${c},${b}` })).toEqual([one])
  await blockAccount(asUser(bob), { accountId: ada })
  expect([await feed(a, {}, ada), await feed(a)]).toEqual([[one], newestFirst(two, one)])
  await deletePost(asUser(ada), { postId: one })
  await queues.deliver()
  expect(await feed(a)).toEqual([two])
  await suspendAccount(asModerator(ada), { accountId: bob })
  expect(await feed(a)).toEqual([])
})

test.each(['any=a,b,c,d,e', 'all=,', 'none=two%20words', 'all=%23', 'limit=0', 'cursor=x'])(
  'a feed of hashtags refuses %s',
  async (query) => {
    const response = await anonymousClient().fetch(`/v1/feeds/tags/engines?${query}`)
    const { errors } = await response.json<{ errors: { field: string }[] }>()
    expect([response.status, errors.map(({ field }) => field)]).toEqual([422, [query.split('=')[0]]])
  },
)

test.each(['two%20words', '%23', '1234', 'a-b', '%F0%9F%98%80'])('%s is no hashtag', async (tag) => {
  expect((await anonymousClient().fetch(`/v1/feeds/tags/${tag}`)).status).toBe(404)
})

test('a followed hashtag brings its posts into the home feed, once each, and never those of blocked accounts', async () => {
  const [ada, bob, cyd, reader] = await accountsOn(0, 1, 0, 0)
  const tag = newTag()
  await seedFollows([[reader, ada]])
  const followed = await seedPosts([ada, ada])
  const both = await publishedId(ada, { text: `#${tag}` })
  const other = await publishedId(bob, { text: `#${tag}` })
  await publishedId(cyd, { text: `#${tag}` })
  await blockAccount(asUser(reader), { accountId: cyd })
  await queues.deliver()
  const home = async (limit = 50, cursor?: string) => homeFeed(asUser(reader), { limit, cursor })
  expect(idsOf(await home())).toEqual([both, ...followed.toReversed()])
  await followTag(asUser(reader), { tag })
  await followTag(asUser(reader), { tag })
  expect(await listFollowedTags(asUser(reader))).toEqual({ items: [{ tag }] })
  const all = newestFirst(other, both, ...followed)
  expect(idsOf(await home())).toEqual(all)
  const read: Id[] = []
  let page = await home(2)
  for (read.push(...idsOf(page)); page.nextCursor; read.push(...idsOf(page))) page = await home(2, page.nextCursor)
  expect(read).toEqual(all)
  expect(idsOf(await home(3, page.previousCursor!))).toEqual(all.slice(0, 2))
  await unfollowTag(asUser(reader), { tag })
  expect(idsOf(await home())).toEqual([both, ...followed.toReversed()])
})

test('nobody follows more than a hundred hashtags, but may repeat one of them', async () => {
  const [ada] = await accountsOn(0)
  const rows = Array.from({ length: 100 }, (_, n) => ({ account_id: Number(ada), tag: `t${n}` }))
  await insertRows(shards[0], 'tag_follows', rows)
  await expect(followTag(asUser(ada), { tag: 'more' })).rejects.toEqual(failure('conflict'))
  await followTag(asUser(ada), { tag: 't5' })
  expect((await listFollowedTags(asUser(ada))).items).toHaveLength(100)
})

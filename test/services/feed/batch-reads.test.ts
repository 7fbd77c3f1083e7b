import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { listPosts } from '../../../src/services/feed/feeds.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { bulkIds, markSuspended, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { unusedId } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { seedPosts } from '../../support/seed.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asAnonymous, asUser, idsOf } from '../../support/viewers.ts'

let user: RegisteredUser
beforeEach(async () => {
  user ??= await registeredUser()
})

type Page = { items: { id: Id; liked?: boolean }[]; nextCursor: null; previousCursor: null }
const read = async (path: string, by = anonymousClient()) => {
  const response = await by.fetch(path)
  return { status: response.status, headers: response.headers, body: await response.json<Page>() }
}
const allKinds = async () => {
  const open = await publishedId(ada)
  const followers = await publishedId(bob, { visibility: 'followers' })
  const [deleted, comment] = [await publishedId(cyd), await publishedId(bob, { parentId: followers })]
  await deletePost(asUser(cyd), { postId: deleted })
  return [unusedId(0), followers, deleted, open, unusedId(1), comment, unusedId(63)]
}

test('named posts come in the order of their ids, each as `getPost` returns it, and repeated ids once', async () => {
  const posts = [await publishedId(bob), await publishedId(ada), await publishedId(cyd), await publishedId(bob)]
  await likePost(asUser(cyd), { postId: posts[1]! })
  const page = await listPosts(asUser(cyd), { ids: posts })
  expect(page).toEqual({
    items: await Promise.all(posts.map((postId) => getPost(asUser(cyd), { postId }))),
    nextCursor: null,
    previousCursor: null,
  })
  const twice = await read(`/v1/posts?ids=${[...posts, ...posts.toReversed()]}`)
  expect(idsOf(twice.body)).toEqual(posts)
  expect(twice.headers.has('link')).toBe(false)
})

test('posts that `getPost` would not find are left out, whether they are hidden, deleted or never existed', async () => {
  const ids = await allKinds()
  for (const ctx of [asAnonymous(), asUser(ada), asUser(bob), asUser(cyd)]) {
    const found = await Promise.all(ids.map((postId) => getPost(ctx, { postId }).catch(() => null)))
    const expected = found.flatMap((post) => post?.id ?? [])
    expect(idsOf(await listPosts(ctx, { ids }))).toEqual(expected)
  }
  expect(idsOf(await listPosts(asAnonymous(), { ids }))).toEqual([ids[3]])
})

test('accounts that block the viewer, are suspended or never existed are left out of named accounts', async () => {
  const [blocker, suspended, one, other] = (await bulkIds(4)) as [Id, Id, Id, Id]
  await blockAccount(asUser(blocker), { accountId: user.id })
  await markSuspended(suspended)
  await queues.deliver()
  const ids = [other, suspended, blocker, unusedId(0), one, other]
  expect(idsOf((await read(`/v1/accounts?ids=${ids}`, user)).body)).toEqual([other, one])
  expect(idsOf((await read(`/v1/accounts?ids=${ids}`)).body)).toEqual([other, blocker, one])
})

test('an answer about records that are all hidden equals one about records that never existed', async () => {
  const hidden = await publishedId(ada, { visibility: 'followers' })
  const [suspended] = (await bulkIds(1)) as [Id]
  await markSuspended(suspended)
  for (const [path, id] of [
    ['posts', hidden],
    ['accounts', suspended],
  ]) {
    const [actual, absent] = [await read(`/v1/${path}?ids=${id}`), await read(`/v1/${path}?ids=${unusedId(0)}`)]
    expect(actual.body).toEqual({ items: [], nextCursor: null, previousCursor: null })
    const stable = ({ status, body, headers }: typeof actual) => {
      const names = [...headers].filter(([name]) => !['x-request-id', 'ratelimit', 'x-cost'].includes(name))
      return { status, body, headers: names }
    }
    expect(stable(actual)).toEqual(stable(absent))
  }
})

test('fifty ids are read with one request of the rate limit; more ids, or malformed ones, are refused', async () => {
  const posts = await seedPosts(Array.from({ length: 50 }, (_, i) => [ada, bob][i % 2]!))
  const left = async () => Number(/r=(\d+)/.exec((await user.fetch('/v1/limits')).headers.get('ratelimit')!)![1])
  const before = await left()
  expect(idsOf((await read(`/v1/posts?ids=${posts}`, user)).body)).toEqual(posts)
  expect(await left()).toBe(before - 2)
  const refused = [
    `${posts},${ada}`,
    `${posts},${posts[0]}`,
    '',
    ',',
    '1,',
    '1,,2',
    '1;2',
    'x',
    '0',
    '1, 2',
    '9007199254740993',
  ]
  for (const ids of refused) {
    for (const path of ['/v1/posts', '/v1/accounts']) {
      const { status, body } = await read(`${path}?ids=${ids}`)
      const errors = [{ field: expect.stringMatching(/^ids/), message: expect.any(String) }]
      expect({ path, ids, status, body }).toMatchObject({
        status: 422,
        body: { errors: expect.arrayContaining(errors) },
      })
    }
  }
  expect((await read('/v1/accounts')).body).toMatchObject({ errors: [{ field: 'ids', message: 'is required' }] })
})

test('either the ids or the author of posts is required, and the parameters of pages only go with the author', async () => {
  const refused = [
    ['', 'ids', 'send either ids or author'],
    [`?ids=${ada}&author=${ada}`, 'ids', 'send either ids or author'],
    ['?limit=5', 'ids', 'send either ids or author'],
    [`?ids=${ada}&limit=5`, 'limit', 'is not allowed with ids'],
    [`?ids=${ada}&cursor=x`, 'cursor', 'is not allowed with ids'],
    [`?author=${ada}&page=2`, 'page', 'is not a known field; send the nextCursor of the previous page as cursor'],
  ]
  for (const [query, field, message] of refused) {
    const { status, body } = await read(`/v1/posts${query}`)
    expect({ query, status, body }).toMatchObject({ status: 422, body: { errors: [{ field, message }] } })
  }
})

test('the posts of an author are those of the page of the account, with the same cursors and visibility', async () => {
  const seen = [await publishedId(ada), await publishedId(ada, { visibility: 'followers' }), await publishedId(ada)]
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  for (const [viewer, expected] of [
    [bob, seen.toReversed()],
    [cyd, [seen[2], seen[0]]],
  ] as const) {
    const first = await listPosts(asUser(viewer), { author: ada, limit: 1 })
    const cursor = first.nextCursor!
    const rest = await listPosts(asUser(viewer), { author: ada, cursor })
    expect([...idsOf(first), ...idsOf(rest)]).toEqual(expected)
  }
  const { headers, body } = await read(`/v1/posts?author=${ada}&limit=1`)
  const next = new URLSearchParams({ author: ada, limit: '1', cursor: body.nextCursor! })
  expect(headers.get('link')).toContain(`</v1/posts?${next}>; rel="next"`)
  expect(await read(`/v1/posts?author=${unusedId(0)}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
})

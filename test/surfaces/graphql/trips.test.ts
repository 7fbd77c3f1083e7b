import { beforeAll, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { HOME_SCREEN } from '../../../src/surfaces/graphql/documents.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { insertByShard, insertRows, shards } from '../../support/databases.ts'
import { graphql } from '../../support/graphql.ts'
import { seedFollows, seedLikes, seedPosts } from '../../support/seed.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { call } from '../../sweeps/calls.ts'

const SHARDS = 2
const WIDEST = 20

let token: string
let reader: Id
beforeAll(async () => {
  await trustTestKey()
  const [own, ...authors] = await accountsOn(0, 0, 1)
  reader = own!
  const others = await bulkIds(WIDEST)
  await seedFollows(authors.map((author) => [reader, author]))
  const posts = await seedPosts(Array.from({ length: WIDEST }, (_, i) => authors[i % 2]!))
  for (const post of posts) await seedComments(post, others)
  await seedLikes(posts.flatMap((post) => others.map((other) => [other, post] as const)))
  token = await mint(reader)
  await graphql('{ limits { postLength } }', { token })
})

/** Comments of accounts on both shards. */
async function seedComments(root: Id, authors: readonly Id[]): Promise<void> {
  const ids = await seedPosts(authors, { visibility: 'followers' })
  for (const db of shards) {
    const toComments = `UPDATE posts SET root_id = ?1, parent_id = ?1 WHERE id IN (${ids.join()})`
    await db.prepare(toComments).bind(Number(root)).run()
  }
  await insertByShard(
    'thread_index',
    ids.map((id) => ({ thread_id: Number(root), post_id: Number(id) })),
    () => root,
  )
}

type Nodes = { nodes: unknown[] }
type Listed = { comments: Nodes; likers: Nodes }

const LISTS = `
  query ($width: Int!) {
    homeFeed(first: $width) {
      nodes {
        text
        author { handle displayName }
        comments(first: $width) { nodes { text author { handle } } }
        likers(first: $width) { nodes { handle followerCount } }
      }
    }
  }`

test.each([1, 5, WIDEST])('home, its comments and its likers take 1 + 2S trips at width %i', async (width) => {
  const { data, errors, extensions } = await graphql(LISTS, { variables: { width }, token })
  expect(errors).toEqual([])
  expect(data.homeFeed.nodes).toHaveLength(width)
  expect(data.homeFeed.nodes.map((post: Listed) => [post.comments.nodes.length, post.likers.nodes.length])).toEqual(
    Array(width).fill([width, width]),
  )
  expect(extensions.cost!.trips).toBeLessThanOrEqual(1 + 2 * SHARDS)
})

test('the full profiles of all authors take one more wave for each level', async () => {
  const query = LISTS.replaceAll('author { handle displayName }', 'author { bio }').replaceAll(
    'author { handle }',
    'author { bio }',
  )
  const { errors, extensions } = await graphql(query, { variables: { width: WIDEST }, token })
  expect(errors).toEqual([])
  expect(extensions.cost!.trips).toBeLessThanOrEqual(1 + 3 * SHARDS)
})

test('a query with a record and the lists below it takes as many trips as the longest list', async () => {
  const query =
    'query ($id: ID!) { post(postId: $id) { text comments { nodes { text } } likers { nodes { handle } } } }'
  const [id] = await seedPosts([reader])
  const { errors, extensions } = await graphql(query, { variables: { id }, token })
  expect(errors).toEqual([])
  expect(extensions.cost!.trips).toBeLessThanOrEqual(1 + SHARDS)
})

test('the home screen takes seven requests over REST, and one query at no more trips than the most expensive of them', async () => {
  const [author] = await accountsOn(1)
  await seedFollows([[author!, reader]])
  const own = await seedPosts([reader])
  await seedLikes([...own, ...(await seedPosts([author!]))].map((post) => [reader, post]))
  await insertRows(shards[0], 'notifications', [
    {
      account_id: Number(reader),
      id: 1,
      kind: 'like',
      actor_id: Number(author),
      post_id: Number(own[0]),
      arrived_at: 1,
    },
  ])
  const account = `accounts/${reader}`
  const paths = ['accounts/me', 'feeds/home', 'notifications', 'notifications/unread-count', `${account}/posts`]
  const trips = []
  for (const path of [...paths, `${account}/followers`, 'me/likes']) {
    const { headers } = await call({ method: 'GET', path: `/v1/${path}`, token })
    trips.push(JSON.parse(headers.get('x-cost')!).trips)
  }
  const screen = await graphql(HOME_SCREEN, { token })
  expect(screen.errors).toEqual([])
  expect(screen.data).toMatchObject({ countUnreadNotifications: { count: 1 }, me: { followers: { nodes: [{}] } } })
  expect([trips.length, screen.extensions.cost!.trips <= Math.max(...trips)]).toEqual([7, true])
})

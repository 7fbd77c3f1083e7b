import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { count } from '../../support/databases.ts'
import { codes, graphql } from '../../support/graphql.ts'
import { publishedId } from '../../support/posting.ts'
import { seedPosts } from '../../support/seed.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'

beforeAll(trustTestKey)

const CREATE = 'mutation ($key: String) { createPost(input: { text: "once" }, idempotencyKey: $key) { databaseId } }'
const postsOf = (id: Id) => count(`SELECT count(*) n FROM posts WHERE author_id = ${Number(id)}`)

test('a mutation that is repeated with its idempotency key creates nothing, and says so', async () => {
  const [id] = await bulkIds(1)
  const options = { token: await mint(id!), variables: { key: 'the same' } }
  const first = await graphql(CREATE, options)
  const again = await graphql(CREATE, options)
  expect([first.errors, again.data]).toEqual([[], first.data])
  expect([first.extensions.replayed, again.extensions.replayed]).toEqual([undefined, ['createPost']])
  expect(await postsOf(id!)).toBe(1)
  const invalid = await graphql(CREATE, { ...options, variables: { key: '' } })
  expect(invalid.errors[0]?.extensions).toMatchObject({ code: 'invalid', errors: [{ field: 'idempotency-key' }] })
})

test('invalid input has the code and the fields that REST reports', async () => {
  const [id] = await bulkIds(1)
  const token = await mint(id!)
  const { errors, data } = await graphql('mutation { editProfile(input: { displayName: "" }) { id } }', { token })
  expect(data).toEqual({ editProfile: null })
  expect(errors[0]?.extensions).toMatchObject({ code: 'invalid', errors: [{ field: 'displayName' }] })
  const unset = 'mutation { createPost(input: { text: "hi", parentId: null }) { text parentId } }'
  expect((await graphql(unset, { token })).data.createPost).toEqual({ text: 'hi', parentId: null })
})

test('only successful mutations return bookmarks, and only those of the databases that they wrote to', async () => {
  const [author, other] = await accountsOn(0, 1)
  const token = await mint(author!)
  const hidden = await publishedId(other!, { visibility: 'followers' })
  const read = await graphql('query ($id: ID!) { post(postId: $id) { id } publicFeed { nodes { id } } }', {
    token,
    variables: { id: hidden },
  })
  const refused = await graphql('mutation ($id: ID!) { likePost(postId: $id) { id } }', {
    token,
    variables: { id: hidden },
  })
  expect([codes(read), codes(refused)]).toEqual([{ post: 'not_found' }, { likePost: 'not_found' }])
  expect([read, refused].map(({ headers }) => headers.get('x-bookmarks'))).toEqual([null, null])
  const query = `mutation { createPost(input: { text: "mine" }) { author { followers { nodes { id } } } } }`
  const { errors, headers } = await graphql(query, { token })
  expect(errors).toEqual([])
  expect(headers.get('x-bookmarks')).toMatch(/^0=[^;]+$/)
})

test('the mutations of a document run one after the other, and each reads what those before it wrote', async () => {
  const [id] = await bulkIds(1)
  const query = `mutation { a: createPost(input: { text: "one" }) { author { postCount } }
    b: createPost(input: { text: "two" }) { author { postCount } } }`
  const { data } = await graphql(query, { token: await mint(id!) })
  expect(data).toEqual({ a: { author: { postCount: 1 } }, b: { author: { postCount: 2 } } })
})

test('each root field counts as one request, and the one above the limit is refused', async () => {
  const [id] = await bulkIds(1)
  const token = await mint(id!)
  const bindings = { REQUESTS_PER_MINUTE: '5' }
  const first = await graphql('{ me { id } limits { postLength } unread: countUnreadNotifications { count } }', {
    token,
    bindings,
  })
  expect([first.errors, first.headers.get('ratelimit')]).toEqual([[], expect.stringMatching(/r=2;/)])
  const second = await graphql('{ a: me { id } b: me { id } c: me { id } }', { token, bindings })
  expect(codes(second)).toEqual({ c: 'rate_limited' })
  expect(second.errors[0]?.extensions.retryAfter).toBeGreaterThan(0)
})

test('each hundred of the cost of a query counts as one more request', async () => {
  const [id] = await bulkIds(1)
  const token = await mint(id!)
  const query = '{ publicFeed(first: 50) { nodes { comments(first: 5) { nodes { id } } } } }' // 5 + 50 x (1 + 5 + 5)
  const { headers } = await graphql(query, { token, bindings: { REQUESTS_PER_MINUTE: '100' } })
  expect(headers.get('ratelimit')).toMatch(/r=94;/)
  const { data, errors } = await graphql(query, {
    token: await mint((await bulkIds(1))[0]!),
    bindings: { REQUESTS_PER_MINUTE: '5' },
  })
  expect([data, errors[0]?.extensions.code]).toEqual([{ publicFeed: null }, 'rate_limited'])
})

test('callers above their limit are refused before their query is parsed', async () => {
  const [id] = await bulkIds(1)
  const account = { token: await mint(id!), bindings: { REQUESTS_PER_MINUTE: '1' } }
  expect((await graphql('{ me { id } }', account)).errors).toEqual([])
  expect(await graphql('{', account)).toMatchObject({ status: 429, code: 'rate_limited' })
  const stranger = { headers: { 'cf-connecting-ip': '198.51.100.77' } }
  const fields = Array.from({ length: 10 }, (_, i) => `a${i}: limits { postLength }`).join(' ')
  for (let sent = 0; sent < 500; sent += 10) await graphql(`{ ${fields} }`, stranger)
  expect(await graphql('{', stranger)).toMatchObject({ status: 429, code: 'rate_limited' })
})

test('an invitation can be created where registration needs one', async () => {
  const [id] = await bulkIds(1)
  const bindings = { REGISTRATION: 'invitation' }
  const { data, errors } = await graphql('mutation { createInvitation { id code } }', {
    token: await mint(id!),
    bindings,
  })
  expect([errors, typeof data.createInvitation.code]).toEqual([[], 'string'])
})

const PAGE = `query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  accountFeed(accountId: $id, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { databaseId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`

test('a connection pages forwards and backwards, also from the cursor of any edge', async () => {
  const [author] = await bulkIds(1)
  const posts = (await seedPosts(Array.from({ length: 5 }, () => author!))).reverse()
  const page = async (variables: object) => {
    const { data, errors } = await graphql(PAGE, { variables: { id: author, ...variables } })
    expect(errors).toEqual([])
    const { edges, pageInfo }: { edges: { cursor: string; node: { databaseId: Id } }[]; pageInfo: PageInfo } =
      data.accountFeed
    return { ids: edges.map(({ node }) => node.databaseId), cursors: edges.map(({ cursor }) => cursor), ...pageInfo }
  }
  const first = await page({ first: 2 })
  expect(first).toMatchObject({ ids: posts.slice(0, 2), hasNextPage: true, hasPreviousPage: false })
  const second = await page({ first: 2, after: first.endCursor })
  expect(second).toMatchObject({ ids: posts.slice(2, 4), hasNextPage: true, hasPreviousPage: true })
  expect(await page({ first: 2, after: second.endCursor })).toMatchObject({ ids: posts.slice(4), hasNextPage: false })
  expect((await page({ first: 2, after: first.cursors[0] })).ids).toEqual(posts.slice(1, 3))
  expect(await page({ last: 1, before: second.cursors[1] })).toMatchObject({
    ids: posts.slice(2, 3),
    hasNextPage: true,
    hasPreviousPage: true,
  })
  expect(await page({ last: 2, before: second.startCursor })).toMatchObject({
    ids: posts.slice(0, 2),
    hasPreviousPage: false,
  })
})

type PageInfo = { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string }

test.each([
  [{ last: 2 }, 'last'],
  [{ first: 2, before: 'a' }, 'before'],
  [{ first: 0 }, 'limit'],
  [{ first: 51 }, 'limit'],
  [{ after: 'forged' }, 'cursor'],
])('the page %o is refused as invalid', async (variables, field) => {
  const [id] = await bulkIds(1)
  const { errors } = await graphql(PAGE, { variables: { id, ...variables } })
  expect(errors[0]?.extensions).toMatchObject({ code: 'invalid', errors: [{ field }] })
})

test('an id of another kind of record is not found, and a malformed one neither', async () => {
  const [author] = await bulkIds(1)
  const [post] = await seedPosts([author!])
  const ids = [`Account:${post}`, `Other:${post}`, `Post:${'9'.repeat(20)}`].map((id) => btoa(id).replaceAll('=', ''))
  const query = 'query ($id: ID!) { post(postId: $id) { id } node(id: $id) { ... on Post { id } } }'
  for (const id of [...ids, 'nonsense', '']) {
    const answer = await graphql(query, { variables: { id } })
    expect([answer.data, codes(answer)]).toEqual([{ post: null, node: null }, { post: 'not_found' }])
  }
})

test('a document without an operation counts for its address', async () => {
  const { headers } = await graphql('{ __typename }', { bindings: env })
  expect(headers.get('ratelimit-policy')).toContain('"address"')
})

import { beforeAll, expect, test, vi } from 'vitest'
import { requestsInFlight } from '../../../src/platform/observability/pending.ts'
import { channels, services } from '../../../src/registry.ts'
import { schemaOf } from '../../../src/surfaces/graphql/schema.ts'
import { accountsOn } from '../../support/actors.ts'
import { codes, graphql } from '../../support/graphql.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { seedFollows } from '../../support/seed.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'

beforeAll(trustTestKey)

const overloaded = () => {
  throw new Error('D1_ERROR: D1 DB is overloaded')
}
const statement = { bind: () => statement, all: overloaded }
const broken = { withSession: () => broken, prepare: () => statement, batch: overloaded, getBookmark: () => null }

test('while a shard is down, what it holds is null with an error at its path, and the rest is answered', async () => {
  const [reader, author, other] = await accountsOn(0, 0, 1)
  await seedFollows([[reader!, author!]])
  const [quiet, busy] = [await publishedId(author!, { text: 'quiet' }), await publishedId(author!, { text: 'busy' })]
  await publishedId(author!, { text: 'from here', parentId: quiet })
  await publishedId(other!, { text: 'from elsewhere', parentId: busy })
  await queues.deliver()
  const query = `query ($other: ID!, $ids: [ID!]!) {
    homeFeed { nodes { text comments { nodes { text } } } }
    account(accountId: $other) { handle }
    nodes(ids: $ids) { id }
    limits { postLength }
  }`
  const ids = [author, other].map((id) => btoa(`Account:${id}`).replaceAll('=', ''))
  const answer = await graphql(query, {
    variables: { other, ids },
    token: await mint(reader!),
    bindings: { SHARD_1: broken },
  })
  expect(answer.status).toBe(200)
  expect(answer.data).toEqual({
    homeFeed: {
      nodes: [
        { text: 'busy', comments: null },
        { text: 'quiet', comments: { nodes: [{ text: 'from here' }] } },
      ],
    },
    account: null,
    nodes: [{ id: ids[0] }, null],
    limits: { postLength: 500 },
  })
  expect(codes(answer)).toEqual({
    'homeFeed.nodes.0.comments': 'unavailable',
    account: 'unavailable',
    'nodes.1': 'unavailable',
  })
})

test('while the isolate has too much work, lists fail at their path, and the rest is answered', async () => {
  const [author] = await accountsOn(0)
  await publishedId(author!, { text: 'kept' })
  const ends = Array.from({ length: 4 }, () => requestsInFlight.begin())
  const answer = await graphql(
    'query ($id: ID!) { publicFeed { nodes { id } } account(accountId: $id) { handle posts { nodes { id } } } }',
    { variables: { id: author }, bindings: { MAX_REQUESTS_IN_FLIGHT: '4' } },
  )
  for (const end of ends) end()
  expect(answer.data).toEqual({ publicFeed: null, account: { handle: expect.any(String), posts: null } })
  expect(codes(answer)).toEqual({ publicFeed: 'unavailable', 'account.posts': 'unavailable' })
  expect(answer.errors[0]!.extensions.retryAfter).toBeGreaterThan(0)
})

test('a cause that several fields share is logged once', async () => {
  const [reader, other] = await accountsOn(0, 1)
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const answer = await graphql('query ($id: ID!) { a: node(id: $id) { id } b: node(id: $id) { id } }', {
    variables: { id: btoa(`Account:${other}`).replaceAll('=', '') },
    token: await mint(reader!),
    bindings: { SHARD_1: broken },
  })
  log.mockRestore()
  expect(codes(answer)).toEqual({ a: 'unavailable', b: 'unavailable' })
  expect(lines.filter((line) => line.includes('a GraphQL field failed'))).toHaveLength(1)
})

test('a list that needs a login, a fresh login or a limit of its own cannot be declared below a record', () => {
  const declare = (rule: object) => {
    const withRule = services.map(({ operations, ...service }) => ({
      ...service,
      operations: operations.map((each) => (each.id === 'listFollowers' ? { ...each, ...rule } : each)),
    }))
    return () => schemaOf({ services: withRule, channels })
  }
  expect(declare({})).not.toThrow()
  for (const rule of [{ login: true }, { fresh: true }, { limit: { name: 'x' } }]) {
    expect(declare(rule)).toThrow('only as a root field')
  }
})

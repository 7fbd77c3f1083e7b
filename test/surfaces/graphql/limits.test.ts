import { beforeAll, expect, test } from 'vitest'
import { mapConcurrently } from '../../../src/platform/data/shards.ts'
import { limits } from '../../../src/surfaces/graphql/limits.ts'
import { bulkIds } from '../../support/actors.ts'
import { graphqlBody } from '../../support/graphql.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'

let token: string
beforeAll(async () => {
  await trustTestKey()
  const [id] = await bulkIds(1)
  token = await mint(id!)
  await graphqlBody('{}', token) // reads the key that verifies the token, which later requests remember
})

const times = (count: number, make: (i: number) => string) => Array.from({ length: count }, (_, i) => make(i)).join(' ')
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const nested = (depth: number, leaf = 'id') =>
  `{ publicFeed(first: 1) { nodes ${'{ comments(first: 1) { nodes '.repeat(depth)}{ ${leaf} }${' } }'.repeat(depth)} } }`

/** Documents that are too large in one way, by a growing excess. */
const oversized: Record<string, (excess: number) => object> = {
  'root fields': (n) => ({ query: `{ ${times(limits.rootFields + n, (i) => `a${i}: __typename`)} }` }),
  'root fields in a fragment': (n) => ({
    query: `query { ...F } fragment F on Query { ${times(limits.rootFields + n, (i) => `a${i}: limits { postLength }`)} }`,
  }),
  aliases: (n) => ({ query: `{ limits { ${times(limits.aliases + n, (i) => `a${i}: postLength`)} } }` }),
  depth: (n) => ({ query: nested(7 + n) }),
  'depth through fragments': (n) => ({
    query: `{ publicFeed(first: 1) { nodes { ...F0 } } } ${times(8 + n, (i) => `fragment F${i} on Post { comments(first: 1) { nodes { ...F${i + 1} } } }`)} fragment F${8 + n} on Post { id }`,
  }),
  breadth: (n) => ({ query: `{ limits { ${times(limits.breadth + n, () => 'postLength')} } }` }),
  'fields through fragments': (n) => ({
    query: `{ limits { ${times(20, () => '...F')} } } fragment F on Limits { ${times(25 + n, () => 'postLength')} }`,
  }),
  'exponential fragments': (n) => ({
    query: `{ limits { ...F0 } } ${times(12 + n, (i) => `fragment F${i} on Limits { ...F${i + 1} ...F${i + 1} }`)} fragment F${12 + n} on Limits { postLength }`,
  }),
  'cyclic fragments': (n) => ({
    query: `{ limits { ...F0 } } ${times(n, (i) => `fragment F${i} on Limits { postLength ...F${(i + 1) % n} }`)}`,
  }),
  fragments: (n) => ({
    query: `{ limits { postLength } } ${times(limits.fragments + n, (i) => `fragment F${i} on Limits { postLength }`)}`,
  }),
  directives: (n) => ({
    query: `{ limits { ${times(limits.directives + n, () => 'postLength @include(if: true)')} } }`,
  }),
  'repeated directives': (n) => ({
    query: `{ limits ${'@skip(if: false) '.repeat(limits.directives + n)}{ postLength } }`,
  }),
  operations: (n) => ({
    query: times(limits.operations + n, (i) => `query Q${i} { limits { postLength } }`),
    operationName: 'Q0',
  }),
  tokens: (n) => ({ query: `{ limits { ${times(limits.tokens + n, () => 'a')} } }` }),
  characters: (n) => ({ query: `{ limits { postLength } } #${' '.repeat(limits.characters + n)}` }),
  variables: (n) => ({ query: '{ limits { postLength } }', variables: { a: 'x'.repeat(limits.variables + n) } }),
  'cost of nested lists': (n) => ({
    query: `{ publicFeed(first: 50) { nodes { comments(first: ${20 + n}) { nodes { likers { nodes { id } } } } } } }`,
  }),
  'unused fragments': (n) => ({
    query: `{ limits { postLength } } ${times(20 + n, (i) => `fragment F${i} on Limits { ${times(25, () => 'postLength')} }`)}`,
  }),
  'depth of unused fragments': (n) => ({
    query: `{ limits { postLength } } fragment F on Post ${'{ parent '.repeat(15 + n)}{ id }${' }'.repeat(15 + n)}`,
  }),
  'aliases in fragments': (n) => ({
    query: `{ limits { ...F ...F ...F ...F } } fragment F on Limits { ${times(7 + n, (i) => `a${i}: postLength`)} }`,
  }),
  'cost of defaults': (n) => ({
    query: `query ($n: Int = ${35 + n}) { publicFeed(first: $n) { nodes { comments(first: $n) { nodes { id } } likers(first: $n) { nodes { id } } } } }`,
  }),
  'cost of variables': (n) => ({
    query:
      'query ($n: Int!) { publicFeed(first: $n) { nodes { comments(first: $n) { nodes { id } } likers(first: $n) { nodes { id } } } } }',
    variables: { n: 35 + n },
  }),
  'aliases of long texts': (n) => ({
    query: `{ publicFeed(first: 50) { nodes { ...F comments(first: ${2 + n}) { nodes { ...F } } } } } fragment F on Post { ${times(10, (i) => `a${i}: text`)} }`,
  }),
  'cost of aliases': (n) => ({
    query: `{ ${times(10, (i) => `a${i}: publicFeed(first: 50) { nodes { comments(first: ${n}) { nodes { id } } } }`)} }`,
  }),
}

const malformed: object[] = [
  ...[
    '',
    '{',
    '}',
    '{ post',
    'query',
    'fragment F',
    '{ post(postId: ) { id } }',
    '\u0000',
    '{ post(postId: "1" { id } }',
  ].map((query) => ({ query })),
  ...[
    '{ unknown }',
    '{ post { id } }',
    '{ post(postId: 1.5) { id } }',
    '{ post(postId: "1") }',
    '{ limits { postLength { a } } }',
  ].map((query) => ({ query })),
  ...[
    '{ post(postId: "1", other: 1) { id } }',
    '{ limits { postLength @unknown } }',
    'query ($a: Unknown) { limits { postLength } }',
  ].map((query) => ({ query })),
  ...[
    'query ($id: ID!) { post(postId: $id) { id } }',
    'mutation { createPost(input: { text: 1 }) { id } }',
    'mutation { createPost(input: { other: "" }) { id } }',
  ].map((query) => ({ query })),
  ...[
    'subscription { home { __typename } notifications { __typename } }',
    '{ ...F }',
    'query A { limits { postLength } } query A { limits { postLength } }',
  ].map((query) => ({ query })),
  { query: 'query A { limits { postLength } } query B { limits { postLength } }' },
  { query: '{ limits { postLength } }', operationName: 'Unknown' },
  { query: 'query ($n: Int!) { publicFeed(first: $n) { nodes { id } } }', variables: { n: 'many' } },
  { query: '{ limits { postLength } }', variables: 'text' },
  { query: '{ limits { postLength } }', extensions: 1 },
  { query: 1 },
  { query: null },
  {},
  { query: '{ limits { postLength } }', unknown: 1 },
  [{ query: '{ limits { postLength } }' }],
  numbers(100).map(() => ({ query: '{ limits { postLength } }' })),
]

const texts = [
  '{',
  '"query"',
  '',
  '{"query":"{ limits { postLength } }"',
  '{"query":"{ a }","query":"{ b }"}',
  `${'['.repeat(40)}${']'.repeat(40)}`,
]

test('200 oversized and malformed queries get 400 with a code, and use no database', async () => {
  const cases = [
    ...Object.entries(oversized).flatMap(([name, make]) => numbers(9).map((n) => [name, JSON.stringify(make(n + 1))])),
    ...malformed.map((body) => ['malformed', JSON.stringify(body)]),
    ...texts.map((text) => ['malformed JSON', text]),
  ]
  expect(cases.length).toBeGreaterThan(200)
  const answers = await mapConcurrently(cases, async ([name, body]) => ({
    name,
    body: body!.slice(0, 200),
    ...(await graphqlBody(body!, token)),
  }))
  expect(answers.filter(({ status, code, trips }) => status !== 400 || code !== 'bad_request' || trips !== 0)).toEqual(
    [],
  )
})

test('the largest documents that the limits allow are answered', async () => {
  const documents = [
    `{ ${times(limits.rootFields, (i) => `a${i}: __typename`)} }`,
    `{ limits { ${times(limits.aliases, (i) => `a${i}: postLength`)} } }`,
    nested(6),
    '{ publicFeed(first: 20) { nodes { author { handle } comments(first: 20) { nodes { author { handle } } } likers(first: 20) { nodes { handle } } } } }',
  ]
  const answers = await Promise.all(documents.map((query) => graphqlBody(JSON.stringify({ query }), token)))
  expect(answers.map(({ status, code }) => [status, code])).toEqual(documents.map(() => [200, undefined]))
})

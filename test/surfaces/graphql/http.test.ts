import { env } from 'cloudflare:workers'
import { getIntrospectionQuery } from 'graphql'
import { serverAudits } from 'graphql-http'
import { beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../../src/platform/security/crypto.ts'
import { HOME_SCREEN } from '../../../src/surfaces/graphql/documents.ts'
import { bulkIds } from '../../support/actors.ts'
import { BASE_URL, fetchWith } from '../../support/client.ts'
import { codes, graphql, graphqlBody } from '../../support/graphql.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'

beforeAll(trustTestKey)

const audits = serverAudits({
  url: `${BASE_URL}/graphql`,
  fetchFn: (url: string, init: RequestInit) => fetchWith(env, url.slice(BASE_URL.length), init),
})

test('every MUST and SHOULD of the audits of GraphQL over HTTP passes', async () => {
  const results = await Promise.all(audits.map((audit) => audit.fn()))
  const failed = results.flatMap((result) =>
    result.status === 'ok' ? [] : [`${result.status} ${result.name}: ${result.reason}`],
  )
  expect(results.length).toBeGreaterThan(50)
  expect(failed).toEqual([])
})

test('introspection works in development, elsewhere only where it is enabled; there, errors suggest no names', async () => {
  const off = { bindings: { GRAPHQL_INTROSPECTION: 'off' } }
  expect((await graphql(getIntrospectionQuery())).errors).toEqual([])
  expect(await graphql('{ __schema { types { name } } }', off)).toMatchObject({ status: 400, data: undefined })
  expect((await graphql('{ limitz { postLength } }')).errors[0]?.message).toContain('Did you mean')
  expect((await graphql('{ limitz { postLength } }', off)).errors[0]?.message).not.toContain('mean')
  const typo = {
    variables: { input: { text: 'hello', visibility: 'FOLLOWER' } },
    token: await mint((await bulkIds(1))[0]!),
  }
  const create = 'mutation ($input: PostCreationInput!) { createPost(input: $input) { id } }'
  expect((await graphql(create, typo)).errors[0]?.message).toContain('Did you mean')
  expect((await graphql(create, { ...typo, ...off })).errors[0]?.message).toMatch(
    /^Variable "\$input" got invalid value(?!.*mean)/,
  )
})

test('a trusted document is sent by its hash; where only those are allowed, the text of another one is refused', async () => {
  const [id] = await bulkIds(1)
  const token = await mint(id!)
  const extensions = (hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } })
  const hash = (await sha256(HOME_SCREEN)).toHex()
  expect((await graphqlBody(JSON.stringify(extensions(hash)), token)).status).toBe(200)
  expect(await graphqlBody(JSON.stringify(extensions('0'.repeat(64))), token)).toMatchObject({
    status: 400,
    code: 'bad_request',
  })
  const bindings = { GRAPHQL_DOCUMENTS: 'trusted' }
  expect((await graphql(HOME_SCREEN, { token, bindings })).errors).toEqual([])
  expect(await graphql('{ limits { postLength } }', { bindings })).toMatchObject({ status: 400, data: undefined })
})

test('errors outside development do not tell what failed', async () => {
  const broken = {
    prepare: () => {
      throw new Error('a secret detail')
    },
    withSession: () => broken,
    batch: async () => {
      throw new Error('a secret detail')
    },
  }
  const answer = await graphql('{ publicFeed { nodes { id } } }', { bindings: { INDEX: broken } })
  expect(codes(answer)).toEqual({ publicFeed: 'internal' })
  expect(JSON.stringify(answer)).not.toContain('secret')
})

import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { mapConcurrently } from '../../src/platform/data/shards.ts'
import { channels, services } from '../../src/registry.ts'
import { globalId } from '../../src/surfaces/graphql/global-id.ts'
import { fieldNameOf } from '../../src/surfaces/graphql/subscriptions.ts'
import { bulkIds } from '../support/actors.ts'
import { seedConversation } from '../support/conversations.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { type GraphqlAnswer, graphql } from '../support/graphql.ts'
import { drained } from '../support/outboxes.ts'
import { subscribe } from '../support/server-events.ts'
import { trustTestKey } from '../support/tokens.ts'
import { type Case, callOf, ids, label, makeCallers, makeCases } from './call-cases.ts'
import { callers, refusalOf } from './callers.ts'
import { argumentFor } from './cases.ts'
import { queryFor } from './examples.ts'
import { documentOf, fieldOf, schema } from './graphql-documents.ts'
import { operations } from './operations.ts'

/** Callers whose token is refused before the query is parsed. */
const REJECTED = ['expired', 'forged', 'misdirected']
const offered = operations.filter(({ id }) => fieldOf(id))

// The sweep makes more calls than the limits allow.
Object.assign(env, { REQUESTS_PER_MINUTE: '1000000' })

let cases: Case[]
beforeAll(async () => {
  await trustTestKey()
  await makeCallers()
  const all = await makeCases(offered)
  cases = all.filter(({ caller, operation }) => !REJECTED.includes(caller.name) || operation.id === 'getPost')
  await drained()
})

test('every operation is a field of GraphQL, or its contract says why it is only offered over REST', () => {
  const declared = services.flatMap(({ operations }) => operations)
  const wrong = declared.filter(({ id, restOnly = '' }) => (fieldOf(id) ? restOnly !== '' : restOnly.length < 10))
  expect(wrong.map(({ id }) => id)).toEqual([])
  expect(offered.length).toBeGreaterThan(40)
})

/** The arguments of a call: path parameters, and a body. Bodies of refused calls are the examples of the document. */
async function requestOf(each: Case) {
  const { operation, target, expected } = each
  const names = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
  const values = Object.fromEntries(names.map((name) => [name, argumentFor(operation, name, target)]))
  const { token, json } = await callOf(each)
  const query = Object.fromEntries(new URLSearchParams(await queryFor(operation.id)))
  const input = operation.body && (expected === null ? json : operation.body.example)
  const document = documentOf(operation.id, { ...query, ...values, input: input ?? undefined })
  return { ...document, token }
}

type Outcome = { each: Case; answer: GraphqlAnswer }

async function runAll(selected: Case[], prepared = async () => {}): Promise<Outcome[]> {
  const requests = await mapConcurrently(selected, async (each) => ({ each, request: await requestOf(each) }))
  await prepared()
  return mapConcurrently(requests, async ({ each, request: { query, ...options } }) => ({
    each,
    answer: await graphql(query, options),
  }))
}

/** A line for each outcome that differs from the one that REST has. */
function mismatches(outcomes: Outcome[]): string[] {
  return outcomes.flatMap(({ each, answer: { errors, data, code } }) => {
    const found = code ?? errors[0]?.extensions.code ?? null
    const isAnswered = Object.values(data ?? {}).some((value) => value !== null)
    const isRight = found === each.expected && isAnswered === (found === null)
    const detail = errors.map(({ path, message }) => `${path?.join('.')} ${message}`).join('; ')
    return isRight ? [] : [`${label(each)}: ${found}, not ${each.expected} (${detail})`]
  })
}

test('a refused field has the code of REST and changes nothing', async () => {
  let before = {}
  const prepared = async () => {
    await drained()
    before = await fingerprint()
  }
  const outcomes = await runAll(
    cases.filter(({ expected }) => expected !== null),
    prepared,
  )
  expect(outcomes.length).toBeGreaterThan(300)
  expect(mismatches(outcomes)).toEqual([])
  expect(await fingerprint()).toEqual(before)
}, 180_000)

test('an allowed field succeeds, with every field below it', async () => {
  // One caller for each operation and state of its target. REST is called by all of them.
  const succeeding = cases.filter(({ expected }) => expected === null)
  const groups = Map.groupBy(succeeding, ({ operation, target }) => `${operation.id} ${target?.state}`)
  const allowed = [...groups.values()].map((group) => group[0]!)
  const outcomes = await runAll(allowed)
  // Without invitations, own messages (two operations) and the token of a mail.
  expect(new Set(allowed.map(({ operation }) => operation.id)).size).toBe(offered.length - 4)
  expect(mismatches(outcomes)).toEqual([])
}, 180_000)

test('the documents of this sweep select every field that an operation can return', () => {
  const documents = offered.map(({ id }) => documentOf(id, {}).query).join(' ')
  const types = Object.values(schema.getTypeMap()).filter(
    ({ name }) => !/^(__|Subscription$|Hello$|.*Frame$)/.test(name),
  )
  const fields = types.flatMap((type) =>
    'getFields' in type && !('getInterfaces' in type && type.name === 'Node') ? Object.keys(type.getFields()) : [],
  )
  const missing = [...new Set(fields)].filter((name) => !new RegExp(`\\b${name}\\b`).test(documents))
  expect(missing.filter((name) => !inputNames.has(name) && !['node', 'nodes', 'id'].includes(name))).toEqual([])
})

const inputNames = new Set(
  Object.values(schema.getTypeMap()).flatMap((type) =>
    type.name.endsWith('Input') && 'getFields' in type ? Object.keys(type.getFields()) : [],
  ),
)

test('a record that a caller may not read is null by its id in the graph, and no error tells why', async () => {
  const nouns = { getPost: 'Post', getAccount: 'Account' }
  const reads = cases.filter(({ operation, caller }) => operation.id in nouns && !REJECTED.includes(caller.name))
  const wrong = await mapConcurrently(reads, async (each) => {
    const { operation, target, expected } = each
    const id = globalId(nouns[operation.id as keyof typeof nouns], target!.parameter)
    const { token } = await callOf(each)
    const { data, errors } = await graphql('query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }', {
      variables: { id },
      token,
    })
    const node = expected === null ? { id } : null
    const isRefused = expected !== null && expected !== 'not_found'
    const codes = errors.map(({ extensions }) => extensions.code)
    const isRight = isRefused ? codes.every((code) => code === expected) && codes.length > 0 : codes.length === 0
    const isShown = JSON.stringify([data?.node ?? null, data?.nodes ?? [null]]) === JSON.stringify([node, [node]])
    return isRight && isShown ? [] : [`${label(each)}: ${JSON.stringify(data)} ${codes}`]
  })
  expect(reads.length).toBeGreaterThan(30)
  expect(wrong.flat()).toEqual([])
})

test.each(channels.map(({ name }) => name))('a subscription to %s is refused like the socket', async (name) => {
  const socket = { ...operations.find(({ id }) => id === 'openRealtime')!, access: 'user' as const }
  const [fresh, other] = await bulkIds(2)
  const key = `(key: "${await seedConversation(fresh!, other!, true)}")`
  const field = fieldNameOf(name) === name ? name : `${fieldNameOf(name)}${key}`
  for (const caller of callers) {
    const self = caller.name === 'suspended' ? ids.suspended : fresh!
    const stream = await subscribe(`subscription { ${field} { __typename } }`, await caller.token(self, socket))
    const { data, code } = (await stream.next())!
    expect({ caller: caller.name, code }).toEqual({ caller: caller.name, code: refusalOf(caller, socket) })
    expect(Boolean(data)).toBe(code === null)
    await stream.close()
  }
})

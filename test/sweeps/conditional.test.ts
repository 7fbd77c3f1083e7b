import { beforeAll, expect, test } from 'vitest'
import type { Id } from '../../src/platform/data/ids.ts'
import { accountsOn } from '../support/actors.ts'
import { insertLogin } from '../support/logins.ts'
import { mint, trustTestKey } from '../support/tokens.ts'
import { pathOf } from './admin.ts'
import { type Answer, type Call, call } from './calls.ts'
import { kindOf } from './cases.ts'
import { examples, queryFor } from './examples.ts'
import { listOf } from './lists.ts'
import { type Operation, operations } from './operations.ts'
import { makeTargets, states, type Target } from './targets.ts'

const reads = operations.filter(
  ({ method, responses }) => method === 'GET' && responses[200]?.content?.['application/json'],
)
const targets = new Map<string, Target>()
let stranger: Id

beforeAll(async () => {
  await trustTestKey()
  const [blocked, other] = await accountsOn(0, 0)
  stranger = other
  const named = reads.filter((operation) => kindOf(operation))
  const made = await makeTargets(
    named.map((operation) => [kindOf(operation)!, states[kindOf(operation)!][0]!]),
    blocked,
  )
  for (const [i, { id }] of named.entries()) targets.set(id, made[i]!)
})

/** A request that reads something as its owner, or as an admin where the operation requires that. */
async function requestFor(operation: Operation, token?: string | null): Promise<Call> {
  const target = targets.get(operation.id)
  const reader = target?.ownerId ?? stranger
  const own = token === undefined ? await mint(reader, { role: 'admin', sessionId: await insertLogin(reader) }) : token
  return { method: 'GET', path: pathOf(operation, target?.parameter) + (await queryFor(operation.id)), token: own }
}

const preserved = ['etag', 'cache-control', 'vary']
const kept = ({ headers }: Answer) => preserved.map((name) => headers.get(name))
const asking = (request: Call, tag: string): Promise<Answer> =>
  call({ ...request, headers: { ...request.headers, 'if-none-match': tag } })

test('every GET with a JSON response has an entity tag, and answers 304 without a body while nothing changed', async () => {
  expect(reads.length).toBeGreaterThan(20)
  for (const operation of reads) {
    const { id } = operation
    const request = { ...(await requestFor(operation)), headers: examples[id]?.headers }
    const first = await call(request)
    expect({ id, status: first.status, body: first.body }).toMatchObject({ id, status: 200, body: expect.anything() })
    const tag = first.headers.get('etag')!
    expect({ id, tag }).toEqual({ id, tag: expect.stringMatching(/^W\/"[\w-]{22}"$/) })
    if (id === 'listAudit') continue // each read adds an entry to this list
    for (const tags of [tag, tag.slice(2), `"other", ${tag}`, '*']) {
      const again = await asking(request, tags)
      expect({ id, tags, status: again.status, body: again.body, kept: kept(again) }).toEqual({
        id,
        tags,
        status: 304,
        body: null,
        kept: kept(first),
      })
      expect(['content-type', 'link'].filter((name) => again.headers.has(name))).toEqual([])
    }
    expect((await asking(request, '"other"')).status).toBe(200)
  }
})

test('HEAD has the tag of GET, and gets 304 for it', async () => {
  const request = await requestFor(reads.find(({ id }) => id === 'getPost')!)
  const tag = (await call(request)).headers.get('etag')!
  const head = await call({ ...request, method: 'HEAD' })
  expect([head.status, head.headers.get('etag')]).toEqual([200, tag])
  expect((await asking({ ...request, method: 'HEAD' }, tag)).status).toBe(304)
})

test('a tag of one viewer does not answer for another viewer with other content, nor reveal a hidden record', async () => {
  const operation = reads.find(({ id }) => id === 'getAccount')!
  const { path, token } = await requestFor(operation)
  const own = await call({ method: 'GET', path, token })
  const tag = own.headers.get('etag')!
  expect((await asking({ method: 'GET', path, token: await mint(stranger) }, tag)).status).toBe(200)
  const hidden = { method: 'GET', path: path.replace(/\d+$/, '999999999') }
  expect((await asking(hidden, '*')).status).toBe(404)
  expect((await asking({ ...hidden, path, token: 'forged-token-of-someone' }, '*')).status).toBe(401)
})

test('responses to a token are not stored; without one, caches keep them and ask each time whether they are current', async () => {
  for (const operation of reads) {
    const { headers } = await call(await requestFor(operation))
    const policy = headers.get('cache-control')!
    if (/max-age/.test(policy)) continue
    expect({ id: operation.id, policy, vary: headers.get('vary') }).toEqual({
      id: operation.id,
      policy: 'private, no-store',
      vary: operation.responses[200]?.content?.['text/csv'] ? 'authorization, accept' : 'authorization',
    })
    if (operation.access !== 'public') continue
    const anonymous = await call(await requestFor(operation, null))
    if (anonymous.status !== 200) continue
    expect([operation.id, ...kept(anonymous).slice(1)]).toEqual([operation.id, 'no-cache', 'authorization'])
  }
})

const lists = operations.filter(({ isList }) => isList).map(({ id }) => id)

test.each(lists)('the tag of a page of %s is the same with every read until an item changes', async (id) => {
  const { path, reader, role, add, remove } = await listOf(id)
  const token = await mint(reader, { role })
  const [first] = await add(6)
  const request = { method: 'GET', path: `${path}${path.includes('?') ? '&' : '?'}limit=3`, token }
  const tag = async () => (await call(request)).headers.get('etag')
  const before = await tag()
  if (id !== 'listAudit') expect(await tag()).toBe(before)
  expect((await asking(request, '*')).status).toBe(304)
  const ids = await add(3)
  if (id === 'listComments') await remove(first!)
  expect(ids).toHaveLength(3)
  expect(await tag()).not.toBe(before)
})

test('every 201 names a location', async () => {
  const creations = operations.filter(({ success }) => success === 201)
  expect(creations.map(({ id }) => id).sort()).toEqual([
    'addPasskey',
    'createApiKey',
    'createGroup',
    'createInvitation',
    'createPost',
    'createRealtimeTicket',
    'createWebhook',
    'registerApp',
    'sendMessage',
    'testWebhook',
    'uploadMedia',
  ])
  const required = creations.map(({ responses }) => responses[201]!.headers.Location?.required)
  expect(required).toEqual(creations.map(() => true))
})

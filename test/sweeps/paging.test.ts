import { beforeAll, expect, test } from 'vitest'
import type { Id } from '../../src/platform/data/ids.ts'
import { BASE_URL } from '../support/client.ts'
import { reveals } from '../support/reveals.ts'
import { mint, trustTestKey } from '../support/tokens.ts'
import { call } from './calls.ts'
import { type List, listOf } from './lists.ts'
import { type Operation, operations, resolved } from './operations.ts'

beforeAll(trustTestKey)

type Page = { items: { id: Id }[]; nextCursor: string | null; previousCursor: string | null; endCursor?: string | null }

/** The fields of the pages that an operation returns. */
function pageFieldsOf(responses: Operation['responses']): object {
  const schema = responses[200]?.content?.['application/json']?.schema
  return (schema && resolved(schema).properties) ?? {}
}

/** The links of the `Link` header: relation, path, limit and cursor. */
function linksIn(headers: Headers): (string | null)[][] {
  const links = [...(headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)]
  return links.map(([, target, rel]) => {
    const { pathname, searchParams } = new URL(target!, BASE_URL)
    return [rel!, pathname, searchParams.get('limit'), searchParams.get('cursor')]
  })
}

const withQuery = (path: string, query: string) => `${path}${path.includes('?') ? '&' : '?'}${query}`
const tokenOf = ({ reader, role }: List) => mint(reader, { role })

function pagesOf(path: string, token: string) {
  return async (limit: number, cursor: string | null): Promise<Page & { ids: Id[] }> => {
    const query = cursor === null ? '' : `&cursor=${cursor}`
    const { status, body, headers } = await call({
      method: 'GET',
      path: withQuery(path, `limit=${limit}${query}`),
      token,
    })
    expect(status).toBe(200)
    const page = body as Page
    const { pathname } = new URL(path, BASE_URL)
    expect(linksIn(headers)).toEqual([
      ...(page.nextCursor === null ? [] : [['next', pathname, String(limit), page.nextCursor]]),
      ...(page.previousCursor === null ? [] : [['prev', pathname, String(limit), page.previousCursor]]),
    ])
    return { ...page, ids: page.items.map(({ id }) => id) }
  }
}

const listOperations = operations.filter(({ isList }) => isList).map(({ id }) => id)

test.each(listOperations)('%s pages without gaps or repeats while entries are added and removed', async (id) => {
  const list = await listOf(id)
  const page = pagesOf(list.path, await tokenOf(list))
  const initial = new Set(await list.add(23))
  const removed = new Set<Id>()
  const read: Id[] = []
  let cursor: string | null = null
  do {
    const { ids, nextCursor }: { ids: Id[]; nextCursor: string | null } = await page(4, cursor)
    read.push(...ids)
    const ahead = [...initial.difference(new Set([...read, ...removed]))]
    for (const entry of [ids[0], ids.at(-1), ahead[ahead.length >> 1]]) {
      if (entry === undefined || !initial.has(entry)) continue
      removed.add(entry)
      await list.remove(entry)
    }
    if (ahead.length > 0) await list.add(1)
    cursor = nextCursor
  } while (cursor !== null)
  expect(read).toHaveLength(new Set(read).size)
  expect([...initial.difference(removed).difference(new Set(read))]).toEqual([])
})

test.each(listOperations)('no cursor of %s reveals the row that it points to', async (id) => {
  const list = await listOf(id)
  const page = pagesOf(list.path, await tokenOf(list))
  await list.add(3)
  const ids: Id[] = []
  const cursors: string[] = []
  let next: string | null = null
  do {
    const found = await page(1, next)
    next = found.nextCursor
    ids.push(...found.ids)
    cursors.push(...[found.nextCursor, found.previousCursor].filter((cursor) => cursor !== null))
  } while (next !== null && ids.length < 3)
  expect([ids.length, cursors.length >= 5]).toEqual([3, true])
  expect(cursors.filter((cursor) => ids.some((entry) => reveals(cursor, entry)))).toEqual([])
})

test('a list refuses the cursors of all other lists, also of the same kind of list of another account', async () => {
  // Makes two lists of each kind, but only one of those that all accounts share.
  const shared = ['getPublicFeed', 'listRegistrations']
  const doubled = [...listOperations, ...listOperations.filter((id) => !shared.includes(id))]
  const issued = []
  for (const list of await Promise.all(doubled.map(listOf))) {
    const { path } = list
    await list.add(2)
    const token = await tokenOf(list)
    const { nextCursor } = await pagesOf(path, token)(1, null)
    issued.push({ path, token, cursor: nextCursor! })
  }
  for (const { cursor, ...own } of issued) {
    for (const { path, token } of issued) {
      const { status, body } = await call({ method: 'GET', path: withQuery(path, `cursor=${cursor}`), token })
      const fields = (body as { errors?: { field: string }[] }).errors?.map(({ field }) => field)
      const isOwn = path === own.path && token === own.token
      expect({ own: own.path, path, status, fields }).toMatchObject(
        isOwn ? { status: 200, fields: undefined } : { status: 422, fields: ['cursor'] },
      )
    }
  }
})

test.each(listOperations)(
  '%s has the same pages backwards as forwards, and only new entries before its first page',
  async (id) => {
    const list = await listOf(id)
    const page = pagesOf(list.path, await tokenOf(list))
    const initial = await list.add(10)
    const added = new Set(initial)
    const first = await page(3, null)
    let last = first
    const forwards = [first.ids]
    while (last.nextCursor !== null && forwards.flat().filter((entry) => added.has(entry)).length < 10) {
      last = await page(3, last.nextCursor)
      forwards.push(last.ids)
    }
    const backwards: Id[][] = [last.ids]
    for (let at = last; backwards.length < forwards.length; ) {
      at = await page(3, at.previousCursor)
      backwards.unshift(at.ids)
    }
    expect(backwards).toEqual(forwards)

    const ids = forwards.flat()
    const isNewestFirst = ids.indexOf(initial[0]!) > ids.indexOf(initial.at(-1)!)
    const [fresh] = (await list.add(1)) as [Id]
    const before = await page(3, first.previousCursor)
    expect(before.ids).toEqual(isNewestFirst ? [fresh] : [])
    expect((await page(3, before.previousCursor)).ids).toEqual([])
    expect((await page(3, before.nextCursor)).ids).toEqual(first.ids)
  },
)

const growing = operations
  .filter(({ isList, responses }) => isList && 'endCursor' in pageFieldsOf(responses))
  .map(({ id }) => id)

test('exactly the lists in oldest-first order have an end cursor', () => {
  expect(growing).toEqual(['listComments'])
})

test.each(growing)(
  'the end cursor of %s, also of an empty list, leads to all items that are added later',
  async (id) => {
    const list = await listOf(id)
    const page = pagesOf(list.path, await tokenOf(list))
    const empty = await page(3, null)
    expect(empty).toMatchObject({ items: [], nextCursor: null, endCursor: expect.any(String) })
    expect((await page(3, empty.endCursor!)).endCursor).toBe(empty.endCursor)
    const seen = new Set<Id>()
    /** Reads from `cursor` to the end of the list. Only the last page has an end cursor. */
    const poll = async (cursor: string | null): Promise<string> => {
      const { ids, nextCursor, endCursor } = await page(3, cursor)
      for (const entry of ids) seen.add(entry)
      expect([nextCursor, endCursor].filter((each) => each !== null)).toHaveLength(1)
      return endCursor ?? poll(nextCursor)
    }
    const added = await list.add(5)
    let end = await poll(empty.endCursor!)
    expect([...seen]).toEqual(added)
    for (let round = 0; round < 3; round++) {
      added.push(...(await list.add(2)))
      end = await poll(end)
      expect([...seen]).toEqual(added)
    }
  },
)

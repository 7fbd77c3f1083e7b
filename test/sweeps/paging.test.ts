import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { type Id, toId } from '../../src/platform/data/ids.ts'
import { insertByShard, insertRows, seedFollows, seedPeople, seedPosts } from '../support/rows.ts'
import { tells } from '../support/tells.ts'
import { mint, trustTestKey } from '../support/tokens.ts'
import { shards } from '../support/town.ts'
import { call } from './calls.ts'
import { operations } from './operations.ts'

/** A list that somebody reads while things come and go. */
type Fixture = {
  reader: Id
  path: string
  /** Puts that many into the list; the ids by which it shows them. */
  add: (count: number) => Promise<Id[]>
  remove: (id: Id) => Promise<void>
}

const one = async (prefix: string) =>
  (await seedPeople(`${prefix}${crypto.randomUUID().slice(0, 8)}_`, 1, () => 0))[0]!.id
const many = async (count: number) =>
  (await seedPeople(`crowd${crypto.randomUUID().slice(0, 8)}_`, count, (i) => i % 2)).map(({ id }) => id)

async function on(databases: readonly D1Database[], statement: string, ...values: unknown[]): Promise<void> {
  for (const db of databases)
    await db
      .prepare(statement)
      .bind(...values.map(Number))
      .run()
}

async function postsBy(author: Id, reader: Id, path: string): Promise<Fixture> {
  return {
    reader,
    path,
    add: (count) => seedPosts(Array.from({ length: count }, () => author)),
    remove: async (id) => {
      await on(shards, 'DELETE FROM posts WHERE id = ?', id)
      await on(shards, 'DELETE FROM feed_index WHERE post_id = ?', id)
      await on([env.INDEX], 'DELETE FROM public_posts WHERE post_id = ?', id)
    },
  }
}

async function follows(side: 'followers' | 'following'): Promise<Fixture> {
  const who = await one(side)
  const pair = (other: Id): [Id, Id] => (side === 'followers' ? [other, who] : [who, other])
  return {
    reader: who,
    path: `/v1/accounts/${who}/${side}`,
    add: async (count) => {
      const others = await many(count)
      await seedFollows(others.map(pair))
      return others
    },
    remove: async (other) => {
      const [follower, followee] = pair(other)
      await on(shards, 'DELETE FROM follows WHERE follower_id = ? AND followee_id = ?', follower, followee)
      await on(shards, 'DELETE FROM followers WHERE account_id = ? AND follower_id = ?', followee, follower)
    },
  }
}

async function blocks(): Promise<Fixture> {
  const who = await one('blocking')
  return {
    reader: who,
    path: '/v1/accounts/me/blocks',
    add: async (count) => {
      const others = await many(count)
      const rows = others.map((other) => ({ account_id: Number(who), other_id: Number(other), by_me: 1 }))
      await insertRows(shards[0]!, 'blocks', rows)
      return others
    },
    remove: (other) => on(shards, 'DELETE FROM blocks WHERE account_id = ? AND other_id = ?', who, other),
  }
}

async function comments(): Promise<Fixture> {
  const author = await one('thread')
  const [root] = (await seedPosts([author])) as [Id]
  const remove = (id: Id) => on(shards, 'DELETE FROM thread_index WHERE post_id = ?', id)
  return {
    reader: author,
    path: `/v1/posts/${root}/comments`,
    add: async (count) => {
      const ids = await seedPosts(Array.from({ length: count }, () => author))
      for (const id of ids) await on(shards, 'UPDATE posts SET root_id = ?, parent_id = ? WHERE id = ?', root, root, id)
      await insertByShard(
        'thread_index',
        ids.map((id) => ({ thread_id: Number(root), post_id: Number(id) })),
        () => root,
      )
      return ids
    },
    remove,
  }
}

async function notifications(): Promise<Fixture> {
  const reader = await one('notified')
  let last = 1_000_000_000
  return {
    reader,
    path: '/v1/notifications',
    add: async (count) => {
      const actors = await many(count)
      const rows = actors.map((actor) => {
        last += 1
        return {
          account_id: Number(reader),
          id: last,
          kind: 'follow',
          actor_id: Number(actor),
          post_id: null,
          arrived_at: 1,
        }
      })
      await insertRows(shards[0]!, 'notifications', rows)
      return rows.map(({ id }) => toId(id))
    },
    remove: (id) => on(shards, 'DELETE FROM notifications WHERE id = ?', id),
  }
}

/** How each list is filled. A list that is new belongs here. */
const fixtures: Record<string, () => Promise<Fixture>> = {
  getHomeFeed: async () => {
    const [reader, author] = [await one('home'), await one('author')]
    await seedFollows([[reader, author]])
    return postsBy(author, reader, '/v1/feeds/home')
  },
  getPublicFeed: async () => postsBy(await one('public'), await one('reader'), '/v1/feeds/public'),
  getAccountFeed: async () => {
    const author = await one('author')
    return postsBy(author, await one('reader'), `/v1/accounts/${author}/posts`)
  },
  listBlocks: blocks,
  listComments: comments,
  listFollowers: () => follows('followers'),
  listFollowing: () => follows('following'),
  listNotifications: notifications,
}

beforeAll(trustTestKey)

type Page = { items: { id: Id }[]; nextCursor: string | null; previousCursor: string | null }

function pagesOf(path: string, token: string) {
  return async (limit: number, cursor: string | null): Promise<Page & { ids: Id[] }> => {
    const query = cursor === null ? '' : `&cursor=${cursor}`
    const { status, body } = await call({ method: 'GET', path: `${path}?limit=${limit}${query}`, token })
    expect(status).toBe(200)
    const page = body as Page
    return { ...page, ids: page.items.map(({ id }) => id) }
  }
}

const lists = operations.filter(({ isList }) => isList).map(({ id }) => id)

async function fill(id: string): Promise<Fixture> {
  const make = fixtures[id]
  if (!make) throw new Error(`Say in test/sweeps/paging.test.ts how the list of ${id} is filled`)
  return make()
}

test.each(lists)('%s pages without gaps or repeats while things come and go', async (id) => {
  const fixture = await fill(id)
  const page = pagesOf(fixture.path, await mint(fixture.reader))
  const there = new Set(await fixture.add(23))
  const gone = new Set<Id>()
  const read: Id[] = []
  let cursor: string | null = null
  do {
    const { ids, nextCursor }: { ids: Id[]; nextCursor: string | null } = await page(4, cursor)
    read.push(...ids)
    const ahead = [...there.difference(new Set([...read, ...gone]))]
    for (const it of [ids[0], ids.at(-1), ahead[ahead.length >> 1]]) {
      if (it === undefined || !there.has(it)) continue
      gone.add(it)
      await fixture.remove(it)
    }
    if (ahead.length > 0) await fixture.add(1)
    cursor = nextCursor
  } while (cursor !== null)
  expect(read).toHaveLength(new Set(read).size)
  expect([...there.difference(gone).difference(new Set(read))]).toEqual([])
})

test.each(lists)('no cursor of %s tells which row it stands for', async (id) => {
  const fixture = await fill(id)
  const page = pagesOf(fixture.path, await mint(fixture.reader))
  await fixture.add(3)
  const [ids, cursors]: [Id[], (string | null)[]] = [[], []]
  let next: string | null = null
  do {
    const found = await page(1, next)
    next = found.nextCursor
    ids.push(...found.ids)
    cursors.push(found.nextCursor, found.previousCursor)
  } while (next !== null && ids.length < 3)
  const given = cursors.filter((cursor) => cursor !== null)
  expect([ids.length, given.length >= 5]).toEqual([3, true])
  expect(given.filter((cursor) => ids.some((it) => tells(cursor, it)))).toEqual([])
})

test('a cursor of one list is refused by every other, of another kind or another’s', async () => {
  // There is one public feed; of every other list two.
  const some = await Promise.all([...lists, ...lists.filter((id) => id !== 'getPublicFeed')].map(fill))
  const given = []
  for (const { path, reader, add } of some) {
    await add(2)
    const token = await mint(reader)
    const { nextCursor } = await pagesOf(path, token)(1, null)
    given.push({ path, token, cursor: nextCursor! })
  }
  for (const { cursor, ...own } of given) {
    for (const { path, token } of given) {
      const { status, body } = await call({ method: 'GET', path: `${path}?cursor=${cursor}`, token })
      const fields = (body as { errors?: { field: string }[] }).errors?.map(({ field }) => field)
      const isOwn = path === own.path && token === own.token
      expect({ own: own.path, path, status, fields }).toMatchObject(
        isOwn ? { status: 200, fields: undefined } : { status: 422, fields: ['cursor'] },
      )
    }
  }
})

test.each(lists)('%s is read backwards as forwards, and from its start on to what has come since', async (id) => {
  const fixture = await fill(id)
  const page = pagesOf(fixture.path, await mint(fixture.reader))
  const mine = new Set(await fixture.add(10))
  const first = await page(3, null)
  let last = first
  const forwards = [first.ids]
  while (last.nextCursor !== null && forwards.flat().filter((it) => mine.has(it)).length < 10) {
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
  const isNewestFirst = Number(ids[0]) > Number(ids.at(-1))
  const [came] = (await fixture.add(1)) as [Id]
  const before = await page(3, first.previousCursor)
  expect(before.ids).toEqual(isNewestFirst ? [came] : [])
  expect((await page(3, before.previousCursor)).ids).toEqual([])
  expect((await page(3, before.nextCursor)).ids).toEqual(first.ids)
})

import { expect, test } from 'vitest'
import { registeredUser } from '../support/actors.ts'
import { clientOf } from '../support/api-client.ts'
import { seedPosts } from '../support/seed.ts'

test('the items of all pages are iterated once each while posts are added, and pages are read when needed', async () => {
  const user = await registeredUser()
  const posts = await seedPosts(Array.from({ length: 25 }, () => user.id))
  const { client, sent } = clientOf(user)
  const read: string[] = []
  for await (const { id } of client.pages.getAccountFeed({ accountId: user.id, limit: 10 })) {
    if (read.length % 5 === 0) await seedPosts([user.id])
    read.push(id)
  }
  expect(read).toEqual(posts.toReversed())
  expect(sent.filter(({ path }) => path.includes('/posts?')).length).toBe(3)

  for await (const { id } of client.pages.getAccountFeed({ accountId: user.id, limit: 10 })) if (id) break
  expect(sent.filter(({ path }) => path.includes('/posts?')).length).toBe(4)
})

test('pages can be read whole, and an iteration can begin at a cursor', async () => {
  const user = await registeredUser()
  const posts = (await seedPosts(Array.from({ length: 5 }, () => user.id))).toReversed()
  const { client } = clientOf(user)
  const sizes: number[] = []
  let cursor: string | null = null
  for await (const page of client.pages.getAccountFeed({ accountId: user.id, limit: 2 }).pages()) {
    sizes.push(page.items.length)
    cursor ??= page.nextCursor
  }
  expect(sizes).toEqual([2, 2, 1])
  const rest: string[] = []
  for await (const { id } of client.pages.getAccountFeed({ accountId: user.id, cursor: cursor! })) rest.push(id)
  expect(rest).toEqual(posts.slice(2))
})

test('an aborted iteration throws the reason of its signal', async () => {
  const user = await registeredUser()
  await seedPosts(Array.from({ length: 3 }, () => user.id))
  const stop = new AbortController()
  const { client } = clientOf(user)
  const iterate = async () => {
    for await (const _ of client.pages.getHomeFeed({ limit: 1 }, { signal: stop.signal })) stop.abort(new Error('over'))
  }
  await expect(iterate()).rejects.toThrow('over')
})

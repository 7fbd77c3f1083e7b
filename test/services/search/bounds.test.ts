import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { documentOf } from '../../../src/services/search/documents.ts'
import { eraseSearch } from '../../../src/services/search/erasure.ts'
import { PostSearchQuery, searchPosts } from '../../../src/services/search/posts.ts'
import { searchWork } from '../../../src/services/search/subscriptions.ts'
import { accountsOn, handleOf } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { count, insertRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { asAnonymous, idsOf } from '../../support/viewers.ts'

const find = async (q: string) => idsOf(await searchPosts(asAnonymous(), PostSearchQuery.parse({ q, limit: '50' })))
let words = 0
const word = () => `bound${++words}x`

test('the alt texts of images are not indexed, because they change without an event of the post', () => {
  const image = { id: '1' as Id, alt: 'zebra', width: 1, height: 1, placeholder: '' }
  const source = { id: '1' as Id, authorId: '1' as Id, entities: [], rootId: null, handle: 'ada' }
  expect(JSON.stringify(documentOf({ ...source, text: 'a lion', media: [image] }))).not.toContain('zebra')
})

test('a page looks at a bounded part of the index, and its cursor goes on from there', async () => {
  const [ada] = await accountsOn(0)
  const w = word()
  const ids: Id[] = []
  for (let n = 0; n < 9; n++)
    ids.push(await publishedId(ada, { text: n === 0 ? `${w} old` : n === 8 ? `${w} new` : 'x' }))
  await queues.deliver()
  await insertRows(
    env.INDEX,
    'search_marks',
    [2, 4, 6].map((n) => ({ first_id: Number(ids[n]) })),
  )
  const read: Id[][] = []
  let cursor: string | undefined
  do {
    const page = await searchPosts(asAnonymous(), PostSearchQuery.parse({ q: w, cursor }))
    read.push(idsOf(page))
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  expect(read).toEqual([[ids[8]], [ids[0]]])
  await env.INDEX.prepare('delete from search_marks').run()
})

test('no subscription of the search delays those of others', () => {
  expect(searchWork.subscriptions.filter(({ runAll }) => runAll)).toEqual([])
})

test('an erasure ends only when no block of the index has a deleted word', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const w = word()
  for (let n = 0; n < 30; n++) await publishedId(n % 3 ? bob : ada, { text: n % 3 ? 'other words' : `secret${w}` })
  await queues.deliver()
  const blocks = () =>
    count(`select count(*) n from post_search_data where instr(block, 'secret${w}') > 0`, [env.INDEX])
  expect(await blocks()).toBeGreaterThan(0)
  let steps = 0
  while (!(await eraseSearch(queues.context(), ada))) steps += 1
  expect(steps).toBeLessThan(20)
  expect([await blocks(), await find(`secret${w}`), await find(`from:${handleOf(bob)}`)]).toMatchObject([
    0,
    [],
    { length: 20 },
  ])
})

test('a malformed cursor is refused alike for a handle that nobody has', async () => {
  const [ada] = await accountsOn(0)
  for (const handle of ['nobody_has_it', handleOf(ada)]) {
    const response = await anonymousClient().fetch(`/v1/search/posts?q=from:${handle}&cursor=x`)
    expect(response.status).toBe(422)
  }
})

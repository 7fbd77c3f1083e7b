import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { editProfile } from '../../../src/services/accounts/accounts.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { liftSuspension, suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { editPost } from '../../../src/services/posts/edits.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { searchAccounts } from '../../../src/services/search/people.ts'
import { PostSearchQuery, searchPosts } from '../../../src/services/search/posts.ts'
import { searchTags } from '../../../src/services/search/tags.ts'
import { accountsOn, handleOf } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { count } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { asAnonymous, asModerator, asUser, idsOf } from '../../support/viewers.ts'

const find = async (q: string, viewer: Id | null = null, order: 'newest' | 'best' = 'newest') =>
  idsOf(await searchPosts(viewer ? asUser(viewer) : asAnonymous(), PostSearchQuery.parse({ q, order })))
const rows = (table: string, id: Id) =>
  count(`select count(*) n from ${table} where rowid = ${Number(id)}`, [env.INDEX])

let words = 0
const word = () => `zork${String.fromCharCode(97 + (words % 26))}${++words}x`

test('a public post is found by its words, and edits, deletions and hidden accounts take it out of the index', async () => {
  const [ada, mod] = await accountsOn(0, 1)
  const [one, two] = [word(), word()]
  const id = await publishedId(ada, { text: `the ${one.toUpperCase()} engine` })
  const secret = await publishedId(ada, { text: `the ${one} engine`, visibility: 'followers' })
  const comment = await publishedId(ada, { text: `about ${one}`, parentId: id })
  const hidden = await publishedId(ada, { text: `about ${one}`, parentId: secret })
  await queues.deliver()
  expect(await find(one)).toEqual([comment, id])
  expect(await find(one, ada)).toEqual([comment, id])
  expect(await Promise.all([id, secret, comment, hidden].map((each) => rows('post_search', each)))).toEqual([
    1, 0, 1, 0,
  ])
  await editPost(asUser(ada), { postId: id, text: `now ${two}` })
  await queues.deliver()
  expect([await find(`${one} -is:reply`), await find(two)]).toEqual([[], [id]])
  await suspendAccount(asModerator(mod), { accountId: ada })
  expect(await find(two)).toEqual([])
  await queues.deliver()
  expect(await rows('post_search', id)).toBe(0)
  await liftSuspension(asModerator(mod), { accountId: ada })
  await queues.deliver()
  expect(await find(two)).toEqual([id])
  await deletePost(asUser(ada), { postId: id })
  expect(await find(two)).toEqual([])
  await queues.deliver()
  expect(await Promise.all([id, comment].map((each) => rows('post_search', each)))).toEqual([0, 0])
})

test('an event that is repeated or late leaves the index as the shards are', async () => {
  const [ada] = await accountsOn(0)
  const one = word()
  const kept = await publishedId(ada, { text: `${one} #${one}` })
  const gone = await publishedId(ada, { text: `${one} #${one}` })
  await deletePost(asUser(ada), { postId: gone })
  await queues.deliver({ times: 3 })
  expect(await find(one)).toEqual([kept])
  expect((await searchTags(asAnonymous(), { q: one, limit: 5 })).items).toEqual([{ tag: one, uses: 1 }])
})

test('every operator narrows what is found', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const w = word()
  const plain = await publishedId(ada, { text: `${w} the weather is good and we like it` })
  const link = await publishedId(ada, { text: `${w} https://example.org/x` })
  const to = await publishedId(bob, { text: `${w} @${handleOf(ada)} das ist nicht gut` })
  const reply = await publishedId(bob, { text: `${w} quoted words here`, parentId: plain })
  await likePost(asUser(bob), { postId: link })
  await queues.deliver()
  const cases: [string, Id[]][] = [
    [w, [reply, to, link, plain]],
    [`${w} from:${handleOf(ada)}`, [link, plain]],
    [`${w} -from:@${handleOf(ada)}`, [reply, to]],
    [`${w} to:${handleOf(ada)}`, [to]],
    [`${w} has:link`, [link]],
    [`${w} has:media`, []],
    [`${w} lang:de`, [to]],
    [`${w} lang:en`, [plain]],
    [`${w} is:reply`, [reply]],
    [`${w} min_likes:1`, [link]],
    [`${w} after:2020-01-01`, [reply, to, link, plain]],
    [`${w} before:2020-01-01`, []],
    [`${w} "quoted words"`, [reply]],
    [`${w} "words quoted"`, []],
    [`${w} -weather -quoted`, [to, link]],
    [`${w} from:nobody_has_this`, []],
    [`from:${handleOf(bob)} is:reply`, [reply]],
    [`${w} WEATHER`, [plain]],
  ]
  for (const [q, found] of cases) expect({ q, found: await find(q) }).toEqual({ q, found })
})

test('the order best ranks the better match first, and its pages have neither gaps nor repeats', async () => {
  const [ada] = await accountsOn(0)
  const w = word()
  const best = await publishedId(ada, { text: `${w} ${w} ${w}` })
  for (let n = 0; n < 6; n++) await publishedId(ada, { text: `${w} and ${'many other words '.repeat(n)}` })
  await queues.deliver()
  const all = await find(w, null, 'best')
  expect([all.length, all[0]]).toEqual([7, best])
  const read: Id[] = []
  let cursor: string | undefined
  do {
    const page = await searchPosts(asAnonymous(), {
      ...PostSearchQuery.parse({ q: w, order: 'best', cursor }),
      limit: 2,
    })
    read.push(...idsOf(page))
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  expect(read).toEqual(all)
})

test('the snippet shows the words that were found, by code points', async () => {
  const [ada] = await accountsOn(0)
  const w = word()
  const text = `${'😀 '.repeat(120)}Café ${w} 東京タワー`
  await publishedId(ada, { text })
  await queues.deliver()
  const { items } = await searchPosts(asAnonymous(), PostSearchQuery.parse({ q: `cafe ${w} 京タ` }))
  const { snippet, post } = items[0]!
  const points = Array.from(post.text)
  const marked = snippet.highlights.map(({ start, end }) => points.slice(start, end).join(''))
  expect(marked).toEqual(['Café', w, '京タ'])
  expect(snippet.start).toBeGreaterThan(50)
  expect(snippet.end).toBe(points.length)
})

test.each([
  ['*', 422],
  ['" "', 422],
  ['-word', 422],
  ['before:2026-01-01', 422],
  ['min_likes:5', 422],
  ['has:poll', 422],
  ['before:yesterday word', 422],
  ['before:2026-13-41 word', 422],
  ['-before:2026-01-01 word', 422],
  ['from: word', 422],
  [Array.from({ length: 50 }, (_, n) => `w${n}`).join(' '), 422],
  ['x'.repeat(201), 422],
  ['\u200b\u200f\u202e', 422],
  ['', 422],
  ['a', 200],
  ['the', 200],
  ['NEAR(a b, 3)', 200],
  ['text : a OR b', 200],
  ['a AND NOT b*', 200],
  ['"unclosed phrase', 200],
  ["'; drop table post_search; --", 200],
  ['^word {handle} : (x)', 200],
  ['\u202eabc\u200d', 200],
  ['😀', 200],
  ['東', 200],
])('the query %s is answered with %i', async (q, status) => {
  const response = await anonymousClient().fetch(`/v1/search/posts?q=${encodeURIComponent(q)}`)
  expect(response.status).toBe(status)
  const { errors } = await response.json<{ errors?: { field: string }[] }>()
  if (status === 422) expect(errors?.map(({ field }) => field)).toEqual(['q'])
})

test('accounts are found while their name is typed, and never those that block the viewer or are blocked', async () => {
  const [ada, bob, cyd] = await accountsOn(0, 1, 0)
  const w = word()
  await editProfile(asUser(ada), { displayName: `Ada ${w}` })
  await editProfile(asUser(bob), { bio: `likes ${w} and tea` })
  await queues.deliver()
  const people = async (q: string, viewer: Id | null = cyd) =>
    idsOf(await searchAccounts(viewer ? asUser(viewer) : asAnonymous(), { q, limit: 20 }))
  expect(await people(w)).toEqual([ada, bob])
  expect(await people(w.slice(0, -1))).toEqual([ada])
  expect(await people(`@${handleOf(ada)}`)).toEqual([ada])
  expect(await people(handleOf(ada).slice(0, 9))).toContain(ada)
  await blockAccount(asUser(cyd), { accountId: ada })
  await blockAccount(asUser(bob), { accountId: cyd })
  await queues.deliver()
  expect([await people(w), await people(w, null)]).toEqual([[], [ada, bob]])
  await suspendAccount(asModerator(cyd), { accountId: ada })
  await queues.deliver()
  expect([await people(w, null), await rows('account_search', ada)]).toEqual([[bob], 0])
})

test('hashtags are found by their beginning, with the number of public posts that use them', async () => {
  const [ada, mod] = await accountsOn(0, 1)
  const w = word()
  await publishedId(ada, { text: `#${w}a #${w}b` })
  await publishedId(ada, { text: `#${w}b` })
  await publishedId(ada, { text: `#${w}a #${w}c`, visibility: 'followers' })
  await queues.deliver()
  const used = async () => (await searchTags(asAnonymous(), { q: `#${w.toUpperCase()}`, limit: 5 })).items
  expect(await used()).toEqual([
    { tag: `${w}b`, uses: 2 },
    { tag: `${w}a`, uses: 1 },
  ])
  await suspendAccount(asModerator(mod), { accountId: ada })
  await queues.deliver()
  expect(await used()).toEqual([])
})

test('a hashtag of a comment is not counted, because no feed lists it', async () => {
  const [ada] = await accountsOn(0)
  const w = word()
  const root = await publishedId(ada, { text: 'a root' })
  await publishedId(ada, { text: `#${w}`, parentId: root })
  await queues.deliver()
  expect((await searchTags(asAnonymous(), { q: w, limit: 5 })).items).toEqual([])
})

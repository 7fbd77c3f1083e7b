import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Env } from '../../../src/platform/config.ts'
import { asViewer, createContext, type UserCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { indexComment, listComments } from '../../../src/services/posts/comments.ts'
import { type Entity, entitiesOf, mentionedHandles } from '../../../src/services/posts/entities.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { createPost, deletePost, getPost } from '../../../src/services/posts/posts.ts'
import worker from '../../../src/worker.ts'
import { heldBack } from '../../support/held.ts'
import { lagging, withLaggingReplicas } from '../../support/lagging.ts'
import { pausing } from '../../support/pausing.ts'
import { seedImages, seedPeople } from '../../support/rows.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { count, draft } from '../../support/town.ts'

const held = heldBack()
const as = (id: Id): UserCtx => asViewer(held.context(), id)
const page = { limit: 50 }

// Ada and Cyd live on one shard, Bob on the other.
let ada: Id
let bob: Id
let cyd: Id
let handles: string[]
beforeAll(trustTestKey)
beforeEach(async () => {
  await held.deliver()
  const people = await seedPeople(`p${crypto.randomUUID().slice(0, 8)}_`, 3, (i) => i % 2)
  ;[ada, bob, cyd] = people.map(({ id }) => id) as [Id, Id, Id]
  handles = people.map(({ handle }) => handle)
})

type Draft = Partial<Parameters<typeof draft>[0]>
const write = async (author: Id, input: Draft = {}) =>
  (await createPost(as(author), draft({ text: 'hello', ...input }))).value
const post = async (author: Id, input: Draft = {}) => (await write(author, input)).id
const rows = (table: string, column: string, id: Id) =>
  count(`SELECT count(*) n FROM ${table} WHERE ${column} = ${Number(id)}`)
const events = () => count('SELECT count(*) n FROM outbox')
const code = (code: string) => expect.objectContaining({ code })
const commentsOf = async (postId: Id, reader = ada) =>
  (await listComments(as(reader), { postId, ...page })).items.map(({ id }) => id)
const countsOf = async (postId: Id) => {
  const { likeCount, commentCount } = await getPost(as(ada), { postId })
  return { likeCount, commentCount }
}

test('a post is kept with its text in one form, and readable by its author at once', async () => {
  const made = await write(ada, { text: '  e\u0301te\u0301\u0000 \u202Ein\tParis\r\n  ' })
  expect(made).toMatchObject({
    text: 'été \u202Ein\tParis',
    visibility: 'public',
    rootId: null,
    parentId: null,
    liked: false,
  })
  expect(made.author).toMatchObject({ id: ada, handle: handles[0] })
  expect(await getPost(as(ada), { postId: made.id })).toEqual(made)
  expect(await rows('posts', 'id', made.id)).toBe(1)
  expect(await count(`SELECT coalesce(sum(post_count), 0) n FROM accounts WHERE id = ${Number(ada)}`)).toBe(1)
  expect(await events()).toBe(1)
})

test('an account counts its posts without its comments, when they are made and when they are deleted', async () => {
  const counted = () => count(`SELECT coalesce(sum(post_count), 0) n FROM accounts WHERE id = ${Number(ada)}`)
  const before = await counted()
  const root = await post(ada)
  const comment = await post(ada, { parentId: root })
  expect(await counted()).toBe(before + 1)
  await deletePost(as(ada), { postId: comment })
  expect(await counted()).toBe(before + 1)
  await deletePost(as(ada), { postId: root })
  expect(await counted()).toBe(before)
})

test('a post that is deleted twice at once is counted and told of once', async () => {
  const root = await post(ada)
  await held.deliver()
  const counted = () => count(`SELECT coalesce(sum(post_count), 0) n FROM accounts WHERE id = ${Number(ada)}`)
  const before = await counted()
  const paused = pausing(as(ada))
  const first = deletePost(paused.ctx, { postId: root })
  await paused.reached
  await deletePost(as(ada), { postId: root })
  paused.goOn()
  await first
  expect([await counted(), await events()]).toEqual([before - 1, 1])
})

test('a letter may have thirty marks, as no language needs; a tower of them would take seconds to put in order', async () => {
  const marks = (many: number) => `a${'\u0301\u0316'.repeat(many / 2)}`
  expect((await write(ada, { text: marks(30) })).text).toHaveLength(30)
  const started = Date.now()
  await expect(write(ada, { text: marks(39_998) })).rejects.toEqual(code('invalid'))
  expect(Date.now() - started).toBeLessThan(500)
})

test('what cannot be a handle is not looked up', async () => {
  const ctx = as(ada)
  const text = `@a @ada-lovelace @café @${'x'.repeat(31)} @a${'\u1100'.repeat(3_000)}`
  expect((await createPost(ctx, draft({ text }))).value.entities).toEqual([])
  expect(ctx.cost).toMatchObject({ trips: 1, directoryTrips: 0, cacheReads: 0 })
})

test('a mention of somebody whom the author cannot know of stays plain text', async () => {
  await blockAccount(as(bob), { accountId: ada })
  await count(`UPDATE accounts SET suspended_at = 1 WHERE id = ${Number(cyd)} RETURNING 0 n`, [env.SHARD_0])
  const { entities } = await write(ada, { text: `@${handles[0]} @${handles[1]} @${handles[2]}` })
  expect(entities.map((entity) => entity.kind === 'mention' && entity.accountId)).toEqual([ada])
})

test('a like that a block overtakes is not there, and says so', async () => {
  const postId = await post(ada)
  const paused = pausing(as(bob))
  const liking = expect(likePost(paused.ctx, { postId })).rejects.toEqual(code('not_found'))
  await paused.reached
  await blockAccount(as(ada), { accountId: bob })
  paused.goOn()
  await liking
  expect(await countsOf(postId)).toMatchObject({ likeCount: 0 })
  expect(await rows('likes', 'post_id', postId)).toBe(0)
  await held.deliver()
})

test('a like that the post’s end overtakes leaves nothing behind', async () => {
  const postId = await post(ada)
  const paused = pausing(as(bob))
  const liking = expect(likePost(paused.ctx, { postId })).rejects.toEqual(code('not_found'))
  await paused.reached
  await deletePost(as(ada), { postId })
  paused.goOn()
  await liking
  expect(await rows('likes', 'post_id', postId)).toBe(0)
  await held.deliver()
})

test('a text is as long as a reader would count it', async () => {
  const limit = held.context().config.POST_MAX_LENGTH
  for (const letter of ['x', 'é', '👩‍👩‍👧', '🇫🇷']) {
    expect((await write(ada, { text: letter.repeat(limit) })).text).toBe(letter.normalize('NFC').repeat(limit))
    await expect(write(ada, { text: letter.repeat(limit + 1) })).rejects.toEqual(code('invalid'))
  }
})

test('whoever asks is told how long a text may be here', async () => {
  const request = new Request('http://127.0.0.1/v1/limits')
  const answer = await worker.fetch(
    request as never,
    { ...env, POST_MAX_LENGTH: '280' } as Env,
    createExecutionContext(),
  )
  expect(await answer.json()).toEqual({ postLength: 280, postImages: 4 })
})

test('an empty post, one to what is not seen, or one with images that are not there makes nothing', async () => {
  const [mine, theirs] = (await seedImages([ada, bob])) as [Id, Id]
  const hidden = await post(bob, { visibility: 'followers' })
  await held.deliver()
  const mentions = Array.from({ length: 21 }, (_, i) => `@somebody${i}`).join(' ')
  const refused: [Draft, string][] = [
    [{ text: ' \u0000\n' }, 'invalid'],
    [{ text: mentions }, 'invalid'],
    [{ parentId: hidden }, 'not_found'],
    [{ media: [mine, mine] }, 'invalid'],
    [{ media: [mine, theirs] }, 'invalid'],
    [{ media: [hidden] }, 'invalid'],
  ]
  for (const [input, expected] of refused) await expect(write(ada, input)).rejects.toEqual(code(expected))
  expect([await rows('posts', 'author_id', ada), await events()]).toEqual([0, 0])
  const { media } = await write(ada, { text: '', media: [mine] })
  expect(media.map(({ id }) => id)).toEqual([mine])
  await expect(write(ada, { media: [mine] })).rejects.toEqual(code('invalid'))
  expect(await rows('posts', 'author_id', ada)).toBe(1)
})

test('entities are found where they stand, in order and apart, in any text', () => {
  const Piece = fc.oneof(
    fc.constantFrom('@ada_1', '@BOB', '@nobody', '#café', '#Été2', 'https://example.org/a?b=c#d', 'http://x.io'),
    fc.constantFrom('word', '👩‍👩‍👧', '🇫🇷', 'ж', '\n', '(', ')', '.', ',', 'a@b.org', '# ', '@ ', 'ftp://x.org'),
  )
  const known = new Map([
    ['ada_1', '1' as Id],
    ['bob', '2' as Id],
  ])
  const meaning = (entity: Entity) =>
    entity.kind === 'mention' ? `@${entity.handle}` : entity.kind === 'hashtag' ? `#${entity.tag}` : entity.url
  fc.assert(
    fc.property(fc.array(Piece, { maxLength: 25 }), fc.constantFrom(' ', '  ', '\n'), (pieces, gap) => {
      const text = pieces.join(gap).normalize('NFC')
      const entities = entitiesOf(text, known)
      let end = 0
      for (const entity of entities) {
        expect(entity.start).toBeGreaterThanOrEqual(end)
        end = entity.end
        const written = text.slice(entity.start, entity.end)
        expect(entity.kind === 'link' ? written : written.toLowerCase()).toBe(meaning(entity))
      }
      const words = text.split(/\s+/)
      const found = (kind: Entity['kind']) => entities.filter((entity) => entity.kind === kind).length
      expect(found('mention')).toBe(words.filter((word) => word === '@ada_1' || word === '@BOB').length)
      expect(found('hashtag')).toBe(words.filter((word) => /^#./.test(word)).length)
      expect(found('link')).toBe(words.filter((word) => /^https?:/.test(word)).length)
      expect(mentionedHandles(text)).toEqual(
        expect.arrayContaining(entities.flatMap((it) => (it.kind === 'mention' ? [it.handle] : []))),
      )
    }),
    { numRuns: 500 },
  )
})

test('a text mentions twenty accounts and no more, and has its first fifty entities', () => {
  const words = (prefix: string, many: number) => Array.from({ length: many }, (_, i) => `${prefix}some_${i}`)
  expect(mentionedHandles([...words('@', 20), ...words('@', 20)].join(' '))).toEqual(words('', 20))
  expect(() => mentionedHandles(words('@', 21).join(' '))).toThrow(code('invalid'))
  const tags = words('#', 51)
  expect(entitiesOf(tags.join(' '), new Map())).toEqual(
    tags.slice(0, 50).map((tag) => expect.objectContaining({ kind: 'hashtag', tag: tag.slice(1) })),
  )
})

test('a mention is of whoever holds the handle, whatever its case; of nobody it stays text', async () => {
  const text = `Hi @${handles[1]!.toUpperCase()} and @nobody_there #Été`
  const { entities } = await write(ada, { text })
  expect(entities).toEqual([
    { kind: 'mention', start: 3, end: 4 + handles[1]!.length, accountId: bob, handle: handles[1] },
    { kind: 'hashtag', start: text.indexOf('#'), end: text.length, tag: 'été' },
  ])
})

test('of twenty posts at once with one key one is made; another text with that key is refused, another person’s is not', async () => {
  const once = (author: Id, text = 'once') => createPost({ ...as(author), idempotencyKey: 'key' }, draft({ text }))
  const answers = await Promise.all(Array.from({ length: 20 }, () => once(ada)))
  expect(new Set(answers.map(({ value }) => value.id)).size).toBe(1)
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
  expect([await rows('posts', 'author_id', ada), await events()]).toEqual([1, 1])
  await expect(once(ada, 'twice')).rejects.toEqual(code('idempotency_mismatch'))
  expect((await once(bob)).replayed).toBe(false)
  await deletePost(as(ada), { postId: answers[0]!.value.id })
  await expect(once(ada)).rejects.toEqual(code('not_found'))
})

test('concurrent likes by one account count once', async () => {
  const liked = await post(ada)
  await held.deliver()
  const answers = await Promise.all(Array.from({ length: 10 }, () => likePost(as(bob), { postId: liked })))
  expect(answers.every((answer) => answer.liked)).toBe(true)
  expect([await rows('likes', 'post_id', liked), await events(), await countsOf(liked)]).toEqual([
    1,
    1,
    { likeCount: 1, commentCount: 0 },
  ])
})

test('likes and unlikes of many at once leave a count of those who like', async () => {
  const liked = await post(ada)
  const people = (await seedPeople(`l${crypto.randomUUID().slice(0, 8)}_`, 8, (i) => i % 2)).map(({ id }) => id)
  const acts = people.flatMap((id, i) =>
    [likePost, i % 2 ? unlikePost : likePost, likePost, unlikePost]
      .slice(0, (i % 4) + 1)
      .map((act) => act(as(id), { postId: liked })),
  )
  await Promise.all(acts)
  expect((await countsOf(liked)).likeCount).toBe(await rows('likes', 'post_id', liked))
  for (const id of people) await unlikePost(as(id), { postId: liked })
  expect([await countsOf(liked), await rows('likes', 'post_id', liked)]).toEqual([{ likeCount: 0, commentCount: 0 }, 0])
})

test('what is not seen is not liked, read or deleted: it is as absent as what never was', async () => {
  const hidden = await post(ada, { visibility: 'followers' })
  const absent = String(Number(hidden) - 32_768 * 1_000) as Id
  for (const act of [getPost, likePost, unlikePost, deletePost]) {
    for (const postId of [hidden, absent]) await expect(act(as(bob), { postId })).rejects.toEqual(code('not_found'))
  }
  await expect(commentsOf(hidden, bob)).rejects.toEqual(code('not_found'))
  expect(await rows('likes', 'post_id', hidden)).toBe(0)
  await expect(deletePost(as(bob), { postId: await post(ada) })).rejects.toEqual(code('forbidden'))
})

test('comment counts hold after concurrent comments and deletions, however often the news comes', async () => {
  const root = await post(ada)
  const comments = await Promise.all(
    Array.from({ length: 8 }, (_, i) => post([ada, bob, cyd][i % 3]!, { parentId: root })),
  )
  const authors = [ada, bob, cyd]
  const deleted = comments.filter((_, i) => i % 2)
  await Promise.all([
    held.deliver({ times: 2 }),
    ...comments.map((id, i) => (i % 2 ? deletePost(as(authors[i % 3]!), { postId: id }) : null)),
  ])
  await held.deliver({ times: 3 })
  const left = comments.filter((id) => !deleted.includes(id))
  expect(new Set(await commentsOf(root))).toEqual(new Set(left))
  expect((await countsOf(root)).commentCount).toBe(4)
})

test('a comment is listed though replicas have not heard of it, and under no post that is gone', async () => {
  const [root, gone] = [await post(ada), await post(ada)]
  const [comment, other] = [await post(bob, { parentId: root }), await post(bob, { parentId: gone })]
  await deletePost(as(ada), { postId: gone })
  const request = createContext({ env: withLaggingReplicas(held.env), waitUntil: () => {} })
  await indexComment(request, { threadId: root, postId: comment })
  await indexComment(request, { threadId: gone, postId: other })
  expect([await commentsOf(root), (await countsOf(root)).commentCount]).toEqual([[comment], 1])
  expect(await rows('thread_index', 'thread_id', gone)).toBe(0)
})

test('a root lists its whole thread, oldest first, and a comment its direct replies', async () => {
  const root = await post(ada)
  const first = await post(bob, { parentId: root })
  await held.deliver()
  const reply = await post(cyd, { parentId: first })
  await held.deliver()
  const deep = await write(ada, { parentId: reply })
  await held.deliver()
  const oldestFirst = (...ids: Id[]) => ids.sort((a, b) => Number(a) - Number(b)) // two of one moment come in any order
  expect([deep.rootId, deep.parentId]).toEqual([root, reply])
  expect([await commentsOf(root), await commentsOf(first), await commentsOf(reply)]).toEqual([
    oldestFirst(first, reply, deep.id),
    [reply],
    [deep.id],
  ])
  await deletePost(as(bob), { postId: first })
  await held.deliver()
  expect([await commentsOf(root), (await countsOf(root)).commentCount]).toEqual([oldestFirst(reply, deep.id), 2])
})

test('a post that is deleted takes its likes, its lists and its comments out of sight', async () => {
  const root = await post(ada)
  const comment = await post(bob, { parentId: root })
  await likePost(as(bob), { postId: root })
  await held.deliver()
  await deletePost(as(ada), { postId: root })
  await expect(getPost(as(ada), { postId: root })).rejects.toEqual(code('not_found'))
  await expect(getPost(as(bob), { postId: comment })).rejects.toEqual(code('not_found'))
  await held.deliver()
  const left = ['posts id', 'likes post_id', 'thread_index thread_id', 'feed_index post_id'].map((at) => at.split(' '))
  for (const [table, column] of left) expect([table, await rows(table!, column!, root)]).toEqual([table, 0])
  expect(await count(`SELECT coalesce(sum(post_count), 0) n FROM accounts WHERE id = ${Number(ada)}`)).toBe(0)
  await expect(deletePost(as(ada), { postId: root })).rejects.toEqual(code('not_found'))
})

test('whoever can no longer see a thread can still delete what they wrote in it', async () => {
  const root = await post(ada)
  const comment = await post(bob, { parentId: root })
  await held.deliver()
  await blockAccount(as(ada), { accountId: bob })
  await expect(getPost(as(bob), { postId: comment })).rejects.toEqual(code('not_found'))
  await deletePost(as(bob), { postId: comment })
  await held.deliver()
  expect([await rows('posts', 'id', comment), (await countsOf(root)).commentCount]).toEqual([0, 0])
})

test('a follower sees what is for followers until either side ends the follow', async () => {
  const closed = await post(ada, { visibility: 'followers' })
  await followAccount(as(bob), { accountId: ada })
  await held.deliver()
  expect((await getPost(as(bob), { postId: closed })).text).toBe('hello')
  await blockAccount(as(ada), { accountId: bob })
  await expect(getPost(as(bob), { postId: closed })).rejects.toEqual(code('not_found'))
})

test('whoever brings back the bookmarks reads their own writes, from a replica that lags behind', async () => {
  const lag = { ...env, SHARD_0: lagging(env.SHARD_0, env.SHARD_1) } as unknown as Env
  const token = await mint(ada)
  const ask = (path: string, init: RequestInit = {}, bookmarks?: string) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(bookmarks && { 'x-bookmarks': bookmarks }),
    }
    return worker.fetch(
      new Request(`http://127.0.0.1:8787/v1${path}`, { ...init, headers }),
      lag,
      createExecutionContext(),
    )
  }
  const created = await ask('/posts', { method: 'POST', body: '{"text":"mine"}' })
  expect(created.status).toBe(201)
  const bookmarks = created.headers.get('x-bookmarks')!
  const { id } = await created.json<{ id: Id }>()
  expect((await ask(`/posts/${id}`)).status).toBe(404)
  const mine = await ask(`/posts/${id}`, {}, bookmarks)
  expect([mine.status, mine.headers.has('x-bookmarks')]).toEqual([200, false])

  // A write on another shard hands on what was brought.
  const liked = await ask(`/posts/${await post(bob)}/like`, { method: 'PUT' }, bookmarks)
  const both = liked.headers.get('x-bookmarks')!
  expect(both.split(';')).toEqual([bookmarks, expect.stringMatching(/^1=/)])
  expect((await ask(`/posts/${id}`, {}, both)).status).toBe(200)
})

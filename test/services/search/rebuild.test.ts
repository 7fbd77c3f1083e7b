import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { editProfile } from '../../../src/services/accounts/accounts.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { editPost } from '../../../src/services/posts/edits.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { continueRebuild, rebuildStep } from '../../../src/services/search/rebuild.ts'
import { accountsOn } from '../../support/actors.ts'
import { count, insertRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { asModerator, asUser } from '../../support/viewers.ts'

/** All rows of the index, with each token of the full-text tables. */
async function contents(): Promise<unknown> {
  const queries = [
    'select * from post_tokens order by 1, 2, 3, 4',
    'select * from account_tokens order by 1, 2, 3, 4',
    'select * from tag_posts order by 1, 2',
    'select * from tags order by 1',
    'select * from public_posts order by 1',
    'select window, actor_id, kind, key, lang, weight from trend_votes order by 1, 2, 3, 4',
  ]
  return Promise.all(queries.map(async (query) => (await env.INDEX.prepare(query).all()).results))
}

const start = () =>
  insertRows(
    env.INDEX,
    'rebuilds',
    [0, 1].map((shard) => ({ shard, stage: 'posts', after: 0 })),
  )

beforeAll(async () => {
  for (const [name, table] of [
    ['post_tokens', 'post_search'],
    ['account_tokens', 'account_search'],
  ])
    await env.INDEX.prepare(`create virtual table ${name} using fts5vocab(${table}, 'instance')`).run()
})

async function emptyIndex(): Promise<void> {
  for (const table of ['post_search', 'account_search', 'tag_posts', 'public_posts', 'trend_votes'])
    await env.INDEX.prepare(`delete from ${table}`).run()
}

test('a rebuild that is killed at ten places while people write ends with what a quiet one builds', async () => {
  const authors = await accountsOn(0, 1, 0, 1)
  const posts: { author: Id; id: Id }[] = []
  const publish = async (n: number) => {
    const author = authors[n % 4]!
    const parentId = n % 6 === 5 ? posts.at(-1)?.id : undefined
    posts.push({ author, id: await publishedId(author, { text: `written ${n} #tag${n % 3}`, parentId }) })
  }
  for (let n = 0; n < 60; n++) await publish(n)
  await queues.deliver()
  await emptyIndex()
  await start()
  let [written, kills] = [60, 0]
  /** Five writes, as many as reach the system in a tenth of a second at 50 a second. */
  const write = async () => {
    const n = written++
    await publish(n)
    const [old] = posts.splice(n % 7, 1)
    if (old && n % 2) await deletePost(asUser(old.author), { postId: old.id }).catch(() => {})
    if (old && n % 2 === 0) await editPost(asUser(old.author), { postId: old.id, text: `edited ${n} #other` })
    await editProfile(asUser(authors[n % 4]!), { displayName: `Name ${n}`, bio: `bio ${n}` })
    await publishedId(authors[(n + 1) % 4]!, { text: `hidden ${n}`, visibility: n % 3 ? 'public' : 'followers' })
    await queues.deliver()
  }
  for (const shard of [0, 1]) {
    for (let isLeft = true, place = 0; isLeft; place++) {
      const step = place < 10 ? rebuildStep(killedAfter(place), shard) : rebuildStep(queues.context(), shard)
      const done = step.catch(() => {
        kills += 1
        return true
      })
      isLeft = (await Promise.all([done, write()]))[0]
    }
  }
  expect(kills).toBeGreaterThanOrEqual(10)
  expect(written).toBeGreaterThan(75)
  await queues.deliver({ times: 2 })
  const built = await contents()
  await emptyIndex()
  await start()
  for (const shard of [0, 1]) while (await rebuildStep(queues.context(), shard));
  expect(await contents()).toEqual(built)
  const open = 'select count(*) n from posts where root_id is null and visibility = ?'
  const listed = await count('select count(*) n from public_posts', [env.INDEX])
  const counts = await Promise.all(
    [env.SHARD_0, env.SHARD_1].map((db) => db.prepare(open).bind('public').first<number>('n')),
  )
  expect(listed).toBe(counts.reduce((sum: number, n) => sum + (n ?? 0), 0))
}, 60_000)

test('a rebuild that is killed at every point ends with what events have built, without what should be gone', async () => {
  const [ada, bob, cyd, mod] = await accountsOn(0, 1, 0, 1)
  for (const id of [ada, bob, cyd, mod])
    await editProfile(asUser(id), { displayName: `Person ${id}`, bio: '東京 and tea' })
  for (let n = 0; n < 40; n++) {
    const post = await publishedId(n % 2 ? ada : bob, { text: `post number ${n} #tag${n % 3}` })
    if (n % 5 === 0) await publishedId(cyd, { text: 'a comment', parentId: post })
    if (n % 4 === 0) await likePost(asUser(cyd), { postId: post })
    if (n % 3 === 0) await likePost(asUser(mod), { postId: post })
    if (n % 7 === 0) await deletePost(asUser(n % 2 ? ada : bob), { postId: post })
  }
  await publishedId(ada, { text: 'hidden', visibility: 'followers' })
  await publishedId(cyd, { text: 'of somebody suspended' })
  await queues.deliver()
  await suspendAccount(asModerator(mod), { accountId: cyd })
  await queues.deliver()
  const built = await contents()

  for (const table of ['post_search', 'account_search', 'tag_posts', 'trend_votes'])
    await env.INDEX.prepare(`delete from ${table}`).run()
  await env.INDEX.prepare('delete from public_posts where post_id % 3 = 0').run()
  const stale = [3 * 32_768, 2 ** 52].map((rowid) => ({ rowid, text: 'stale', tags: '', handle: '', facts: '' }))
  await insertRows(env.INDEX, 'post_search', stale)
  await insertRows(env.INDEX, 'public_posts', [{ post_id: 5 * 32_768, author_id: 1 }])
  await start()
  let kills = 0
  for (const shard of [0, 1]) {
    for (let isLeft = true, budget = 1; isLeft; budget += 1) {
      isLeft = await rebuildStep(killedAfter(budget % 16), shard).catch(() => {
        kills += 1
        return true
      })
    }
  }
  expect(kills).toBeGreaterThan(5)
  expect(await contents()).toEqual(built)
  expect(await count('select count(*) n from rebuilds', [env.INDEX])).toBe(0)

  await start()
  await queues.deliver()
  for (const shard of [0, 0, 1]) await continueRebuild(queues.context(), queues.context().db.shard(shard))
  await queues.finishDeferred({ run: true })
  expect(queues.sent).toEqual([])
  expect(await count('select count(*) n from rebuilds', [env.INDEX])).toBe(0)
  expect(await contents()).toEqual(built)
})

/** A context whose index fails after some batches and statements. */
function killedAfter(calls: number) {
  const ctx = queues.context()
  let left = calls
  const spend = () => {
    if (--left < 0) throw new Error('killed')
  }
  const index = new Proxy(ctx.db.index, {
    get: (target, name) => {
      if (['batch', 'select', 'update', 'delete'].includes(String(name))) spend()
      return Reflect.get(target, name)
    },
  })
  return { ...ctx, db: { ...ctx.db, shard: ctx.db.shard, shardOf: ctx.db.shardOf, index } }
}

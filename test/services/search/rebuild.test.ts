import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { editProfile } from '../../../src/services/accounts/accounts.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
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
  ]
  return Promise.all(queries.map(async (query) => (await env.INDEX.prepare(query).all()).results))
}

const start = () =>
  insertRows(
    env.INDEX,
    'rebuilds',
    [0, 1].map((shard) => ({ shard, stage: 'posts', after: 0 })),
  )

test('a rebuild that is killed at every point ends with what events have built, without what should be gone', async () => {
  for (const [name, table] of [
    ['post_tokens', 'post_search'],
    ['account_tokens', 'account_search'],
  ])
    await env.INDEX.prepare(`create virtual table ${name} using fts5vocab(${table}, 'instance')`).run()
  const [ada, bob, cyd, mod] = await accountsOn(0, 1, 0, 1)
  for (const id of [ada, bob, cyd, mod])
    await editProfile(asUser(id), { displayName: `Person ${id}`, bio: '東京 and tea' })
  for (let n = 0; n < 40; n++) {
    const post = await publishedId(n % 2 ? ada : bob, { text: `post number ${n} #tag${n % 3}` })
    if (n % 5 === 0) await publishedId(cyd, { text: 'a comment', parentId: post })
    if (n % 7 === 0) await deletePost(asUser(n % 2 ? ada : bob), { postId: post })
  }
  await publishedId(ada, { text: 'hidden', visibility: 'followers' })
  await publishedId(cyd, { text: 'of somebody suspended' })
  await queues.deliver()
  await suspendAccount(asModerator(mod), { accountId: cyd })
  await queues.deliver()
  const built = await contents()

  for (const table of ['post_search', 'account_search', 'tag_posts'])
    await env.INDEX.prepare(`delete from ${table}`).run()
  await env.INDEX.prepare('delete from public_posts where post_id % 3 = 0').run()
  const stale = [3 * 32_768, 2 ** 52].map((rowid) => ({ rowid, text: 'stale', tags: '', handle: '', facts: '' }))
  await insertRows(env.INDEX, 'post_search', stale)
  await insertRows(env.INDEX, 'public_posts', [{ post_id: 5 * 32_768, author_id: 1 }])
  await start()
  let kills = 0
  for (const shard of [0, 1]) {
    for (let isLeft = true, budget = 1; isLeft; budget += 1) {
      isLeft = await rebuildStep(killedAfter(budget % 9), shard).catch(() => {
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

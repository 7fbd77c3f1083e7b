import { globSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { firstIdAt } from '../../src/platform/data/ids.ts'

const TICK = 32_768

/** A shard with all migrations before `name`, and a function that applies that migration and the ones after it. */
function shardBefore(name: string): { db: DatabaseSync; migrate: () => void } {
  const files = globSync('migrations/shard/*.sql').sort()
  const at = files.findIndex((file) => file.endsWith(name))
  const db = new DatabaseSync(':memory:')
  const apply = (some: string[]) => some.forEach((file) => void db.exec(readFileSync(file, 'utf8')))
  apply(files.slice(0, at))
  return { db, migrate: () => apply(files.slice(at)) }
}

const column = (db: DatabaseSync, query: string) =>
  db
    .prepare(query)
    .all()
    .map((row) => Object.values(row)[0])

test('likes given before they had ids are listed on their shard, and announced to the shards of their accounts', () => {
  const { db, migrate } = shardBefore('0004_likes.sql')
  const [post, other] = ['100000000000000', '200000000000000']
  for (const id of [post, other])
    db.exec(`INSERT INTO posts (id, author_id, text, visibility) VALUES (${id}, 7, '', 'public')`)
  for (const [id, account] of [
    [post, 9],
    [post, 8],
    [other, 9],
  ])
    db.exec(`INSERT INTO likes (post_id, account_id) VALUES (${id}, ${account})`)
  db.exec("INSERT INTO outbox (id, type, data) VALUES (5, 'other', '{}')")
  migrate()
  expect(column(db, `SELECT account_id FROM post_likers WHERE post_id = ${post} ORDER BY id`)).toEqual([8, 9])
  expect(column(db, 'SELECT id FROM likes ORDER BY id')).toEqual(column(db, 'SELECT id FROM post_likers ORDER BY id'))
  expect(new Set(column(db, 'SELECT id FROM likes')).size).toBe(3)
  const announced = db.prepare("SELECT id, data, pending FROM outbox WHERE type = 'post.liked' ORDER BY id").all()
  expect(announced).toMatchObject([
    { id: 6, data: JSON.stringify({ postId: post, authorId: '7', actorId: '8' }), pending: '["mirror-like"]' },
    { id: 7, data: JSON.stringify({ postId: post, authorId: '7', actorId: '9' }) },
    { id: 8, data: JSON.stringify({ postId: other, authorId: '7', actorId: '9' }) },
  ])
  const [older] = column(db, `SELECT id FROM likes WHERE post_id = ${post} AND account_id = 9`)
  db.exec(`INSERT INTO likes (post_id, account_id) VALUES (${post}, 6) ON CONFLICT DO NOTHING`)
  expect(column(db, 'SELECT id FROM likes WHERE account_id = 6')[0]).toBeGreaterThan(Number(older))
})

test('relations made before they had ids keep their order, and the old version can still write during a deployment', () => {
  const { db, migrate } = shardBefore('0003_relations.sql')
  const follow = (followee: number) =>
    db.exec(`INSERT INTO follows (follower_id, followee_id) VALUES (1, ${followee}) ON CONFLICT DO NOTHING`)
  for (const other of [30, 10, 20]) {
    follow(other)
    db.exec(`INSERT INTO followers (account_id, follower_id) VALUES (1, ${other})`)
    db.exec(`INSERT INTO blocks (account_id, other_id, by_me) VALUES (1, ${other}, 1)`)
  }
  migrate()
  const before = Number(firstIdAt(Date.now()))
  for (const other of [5, 5]) follow(other)
  db.exec('INSERT INTO followers (account_id, follower_id) VALUES (1, 5)')
  db.exec('INSERT INTO blocks (account_id, other_id, by_me) VALUES (1, 5, 1)')
  expect(column(db, 'SELECT followee_id FROM follows WHERE follower_id = 1 ORDER BY id')).toEqual([10, 20, 30, 5])
  const [id] = column(db, 'SELECT id FROM follows WHERE followee_id = 5')
  expect(id).toBeGreaterThanOrEqual(before - TICK) // a Julian day is a float, so it may be just below a tick
  expect(id).toBeLessThanOrEqual(Number(firstIdAt(Date.now())))
  for (const list of ['follower_id FROM followers', 'other_id FROM blocks']) {
    expect(column(db, `SELECT ${list} WHERE account_id = 1 AND id > 0 ORDER BY id`)).toEqual([10, 20, 30])
  }
})

test('0002_posts fills the public lane, the public counts and the authors of parents from existing rows', () => {
  const { db, migrate } = shardBefore('0002_posts.sql')
  db.exec(`
    INSERT INTO accounts (id, handle, display_name, created_at, post_count)
    VALUES (1, 'ada', 'Ada', 0, 3), (2, 'bob', 'Bob', 0, 0);
    INSERT INTO posts (id, author_id, text, visibility, root_id, parent_id)
    VALUES (10, 1, '', 'public', null, null), (11, 1, '', 'followers', null, null), (12, 1, '', 'public', null, null),
           (13, 2, '', 'public', 10, 10), (14, 1, '', 'public', 10, 13), (15, 2, '', 'public', 99, 99);
    INSERT INTO feed_index SELECT author_id, root_id IS NOT NULL, id FROM posts;
  `)
  migrate()
  const rows = (query: string) =>
    db
      .prepare(query)
      .all()
      .map((row) => Object.values(row))
  expect(rows('SELECT author_id, post_id FROM feed_index WHERE lane = 2')).toEqual([
    [1, 10],
    [1, 12],
  ])
  expect(rows('SELECT id, post_count, public_post_count FROM accounts ORDER BY id')).toEqual([
    [1, 3, 2],
    [2, 0, 0],
  ])
  expect(rows('SELECT id, parent_author_id FROM posts WHERE parent_author_id IS NOT NULL ORDER BY id')).toEqual([
    [13, 1],
    [14, 2],
  ])
  db.close()
})

test('accounts that are suspended already are announced to the directory, and no others', () => {
  const { db, migrate } = shardBefore('0013_suspensions_to_copy.sql')
  for (const [id, suspendedAt] of [
    [7, 'NULL'],
    [8, 1],
    [9, 2],
  ])
    db.exec(
      `INSERT INTO accounts (id, handle, display_name, created_at, suspended_at) VALUES (${id}, 'h${id}', '', 0, ${suspendedAt})`,
    )
  migrate()
  const announced = column(db, "SELECT data FROM outbox WHERE type = 'account.suspension-to-copy' ORDER BY id")
  expect(announced).toEqual(['{"accountId":"8"}', '{"accountId":"9"}'])
})

test('of several mentions of an account in one post, the first stays', () => {
  const { db, migrate } = shardBefore('0012_notifications_of_posts.sql')
  for (const [id, kind, post] of [
    [1, 'mention', 50],
    [2, 'mention', 50],
    [3, 'mention', 60],
    [4, 'like', 50],
  ])
    db.exec(`INSERT INTO notifications (account_id, id, kind, actor_id, post_id, arrived_at)
      VALUES (7, ${id}, '${kind}', 9, ${post}, 0)`)
  db.exec('INSERT INTO likes (post_id, account_id, id) VALUES (50, 9, 4)')
  migrate()
  expect(column(db, 'SELECT id FROM notifications ORDER BY id')).toEqual([1, 3, 4])
})

test('the notification of a like gets the id of the like, and those of likes that ended are deleted', () => {
  const { db, migrate } = shardBefore('0016_fewer_rows_per_like.sql')
  db.exec(`
    INSERT INTO likes (post_id, account_id, id) VALUES (50, 9, 400), (60, 9, 401);
    INSERT INTO notifications (account_id, id, kind, actor_id, post_id, arrived_at)
    VALUES (7, 1, 'like', 9, 50, 0), (7, 401, 'like', 9, 60, 0), (7, 3, 'like', 8, 50, 0), (7, 4, 'follow', 9, null, 0);
  `)
  migrate()
  expect(column(db, 'SELECT id FROM notifications ORDER BY id')).toEqual([4, 400, 401])
})

import { globSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { firstIdAt } from '../../src/platform/data/ids.ts'

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
  expect(id).toBeGreaterThanOrEqual(before)
  expect(id).toBeLessThanOrEqual(Number(firstIdAt(Date.now())))
  for (const list of ['follower_id FROM followers', 'other_id FROM blocks']) {
    expect(column(db, `SELECT ${list} WHERE account_id = 1 AND id > 0 ORDER BY id`)).toEqual([10, 20, 30])
  }
})

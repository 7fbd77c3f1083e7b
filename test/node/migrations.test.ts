import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'

const migration = (name: string) => readFileSync(`migrations/shard/${name}.sql`, 'utf8')

test('0002_posts fills the public lane, the public counts and the authors of parents from existing rows', () => {
  const db = new DatabaseSync(':memory:')
  db.exec(migration('0001_foundation'))
  db.exec(`
    INSERT INTO accounts (id, handle, display_name, created_at, post_count)
    VALUES (1, 'ada', 'Ada', 0, 3), (2, 'bob', 'Bob', 0, 0);
    INSERT INTO posts (id, author_id, text, visibility, root_id, parent_id)
    VALUES (10, 1, '', 'public', null, null), (11, 1, '', 'followers', null, null), (12, 1, '', 'public', null, null),
           (13, 2, '', 'public', 10, 10), (14, 1, '', 'public', 10, 13), (15, 2, '', 'public', 99, 99);
    INSERT INTO feed_index SELECT author_id, root_id IS NOT NULL, id FROM posts;
  `)
  db.exec(migration('0002_posts'))
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

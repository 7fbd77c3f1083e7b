import { globSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'

test('the migration keeps the first of duplicate notifications and prevents new duplicates', () => {
  const db = new DatabaseSync(':memory:')
  const files = globSync('migrations/shard/*.sql').sort()
  const at = files.findIndex((file) => file.endsWith('0004_told_once.sql'))
  const apply = (file: string) => db.exec(readFileSync(file, 'utf8'))
  const insert = (...row: (number | string | null)[]) =>
    db
      .prepare(
        'INSERT INTO notifications (account_id, id, kind, actor_id, post_id, arrived_at) VALUES (?, ?, ?, ?, ?, 0)',
      )
      .run(...row)
  for (const file of files.slice(0, at)) apply(file)
  for (const id of [1, 2, 3]) insert(1, id, 'like', 5, 9)
  for (const id of [4, 5]) insert(1, id, 'follow', 5, null)
  for (const id of [6, 7]) insert(1, id, 'comment', 5, 11)
  insert(1, 8, 'like', 5, 10)
  insert(1, 9, 'follow', 6, null)
  insert(2, 10, 'like', 5, 9)
  apply(files[at]!)
  const kept = db.prepare('SELECT id FROM notifications ORDER BY id').all()
  expect(kept.map(({ id }) => id)).toEqual([1, 4, 6, 7, 8, 9, 10])
  expect(() => insert(1, 11, 'follow', 6, null)).toThrow('UNIQUE')
})

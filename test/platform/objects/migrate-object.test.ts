import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { migrateObject } from '../../../src/platform/objects/migrate-object.ts'

let objects = 0
/** Calls `run` with the storage of a new `Sweeper` object, which has no tables of its own. */
const inFreshObject = <T>(run: (storage: DurableObjectStorage) => T): Promise<T> =>
  runInDurableObject(env.SWEEPER.getByName(`migrated-${objects++}`), (_, state) => run(state.storage))

const one = 'CREATE TABLE things (id INTEGER PRIMARY KEY); INSERT INTO things VALUES (1)'
const two = "ALTER TABLE things ADD COLUMN name TEXT NOT NULL DEFAULT 'new'"

test('migrateObject runs each migration step once, in order, and keeps the rows', async () => {
  const rows = await inFreshObject((storage) => {
    migrateObject(storage, [one])
    migrateObject(storage, [one])
    migrateObject(storage, [one, two])
    migrateObject(storage, [one, two])
    return storage.sql.exec('SELECT * FROM things').toArray()
  })
  expect(rows).toEqual([{ id: 1, name: 'new' }])
})

test('a failing migration step leaves the object at the version before the migration', async () => {
  const result = await inFreshObject((storage) => {
    migrateObject(storage, [one])
    expect(() => migrateObject(storage, [one, two, 'CREATE TABLE broken'])).toThrow()
    migrateObject(storage, [one, two])
    return storage.sql.exec('SELECT name FROM things').toArray()
  })
  expect(result).toEqual([{ name: 'new' }])
})

test('migrating an object whose version is newer than the code throws', async () => {
  await inFreshObject((storage) => {
    migrateObject(storage, [one, two])
    expect(() => migrateObject(storage, [one])).toThrow('newer than this code')
  })
})

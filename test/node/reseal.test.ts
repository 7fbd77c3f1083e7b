import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, expect, test } from 'vitest'
import { addKey, resealing, type Sealed, selectOutdated } from '../../scripts/reseal.ts'
import { keyIdOf, open, readKeyring, seal } from '../../scripts/seal.ts'

const before = `k9:${btoa('a'.repeat(32))},k8:${btoa('b'.repeat(32))}`
const after = addKey(before)
const [oldRing, newRing] = [readKeyring(before), readKeyring(after)]
const onlyNew = readKeyring(after.split(',')[0]!)
const address = (id: number) => `person${id}@people.example`
const sealedAs = (id: number, ring = oldRing) => seal(ring, address(id), `email:${id}`, randomBytes(12))

let db: DatabaseSync
beforeEach(() => {
  db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, sealed_address TEXT)')
  const insert = db.prepare('INSERT INTO users VALUES (?, ?)')
  for (const id of [1, 2, 3]) insert.run(id, sealedAs(id))
  insert.run(4, sealedAs(4, newRing))
})
const outdated = (cursor = 0, limit = 10) =>
  db.prepare(selectOutdated(newRing, cursor, limit)).all() as unknown as Sealed[]

test('a new key stands in front of those that there are', () => {
  expect([...newRing.keys()]).toEqual(['k10', 'k9', 'k8'])
  expect(after.endsWith(before)).toBe(true)
  expect(() => addKey('k1:short')).toThrow('DATA_KEYS has no key k1 of 32 bytes in base64')
})

test('every address ends up sealed with the new key alone, page by page', () => {
  expect(outdated(0, 2).map(({ id }) => id)).toEqual([1, 2])
  for (let rows = outdated(0, 2); rows.length > 0; rows = outdated(rows.at(-1)!.id, 2)) {
    db.exec(resealing(newRing, rows))
  }
  expect(outdated()).toEqual([])
  const rows = db.prepare('SELECT id, sealed_address FROM users').all() as unknown as Sealed[]
  const opened = rows.map(({ id, sealed_address: sealed }) => open(onlyNew, sealed, `email:${id}`))
  expect(opened).toEqual([1, 2, 3, 4].map(address))
})

test('an address that was sealed anew meanwhile stays as it is', () => {
  const statements = resealing(newRing, outdated())
  const newer = sealedAs(2, newRing)
  db.prepare('UPDATE users SET sealed_address = ? WHERE id = 2').run(newer)
  db.exec(statements)
  expect(db.prepare('SELECT sealed_address FROM users WHERE id = 2').get()).toMatchObject({ sealed_address: newer })
})

test('what no key of the ring opens is not passed over', () => {
  const foreign = [{ id: 5, sealed_address: `k1${sealedAs(5).slice(keyIdOf(sealedAs(5)).length)}` }]
  expect(() => resealing(newRing, foreign)).toThrow('DATA_KEYS lacks the key k1')
})

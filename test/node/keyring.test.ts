import { DatabaseSync } from 'node:sqlite'
import { beforeEach, expect, test } from 'vitest'
import { addKey, cryptoConfig, keyIds, resealing, type Sealed, selectOutdated } from '../../scripts/keyring.ts'
import { open, seal } from '../../src/platform/security/crypto.ts'

const before = `k9:${btoa('a'.repeat(32))},k8:${btoa('b'.repeat(32))}`
const after = addKey(before)
const onlyNew = after.split(',')[0]!
const address = (id: number) => `person${id}@people.example`
const sealedAs = (id: number, keys = before) => seal(cryptoConfig({ DATA_KEYS: keys }), address(id), `email:${id}`)

let db: DatabaseSync
beforeEach(async () => {
  db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, sealed_address TEXT)')
  const insert = db.prepare('INSERT INTO users VALUES (?, ?)')
  for (const id of [1, 2, 3]) insert.run(id, await sealedAs(id))
  insert.run(4, await sealedAs(4, after))
})
const outdated = (cursor = 0, limit = 10) =>
  db.prepare(selectOutdated(after, cursor, limit)).all() as unknown as Sealed[]

test('a new key is put in front of the existing ones, and an invalid keyring is an error', () => {
  expect(keyIds(after)).toEqual(['k10', 'k9', 'k8'])
  expect(after.endsWith(before)).toBe(true)
  expect(() => addKey('k1:short')).toThrow('DATA_KEYS has no key k1 of 32 bytes in base64')
})

test('after resealing page by page, the new key alone can decrypt every address', async () => {
  expect(outdated(0, 2).map(({ id }) => id)).toEqual([1, 2])
  for (let rows = outdated(0, 2); rows.length > 0; rows = outdated(rows.at(-1)!.id, 2)) {
    db.exec(await resealing(after, rows))
  }
  expect(outdated()).toEqual([])
  const rows = db.prepare('SELECT id, sealed_address FROM users').all() as unknown as Sealed[]
  const config = cryptoConfig({ DATA_KEYS: onlyNew })
  const opened = rows.map(({ id, sealed_address: sealed }) => open(config, sealed, `email:${id}`))
  expect(await Promise.all(opened)).toEqual([1, 2, 3, 4].map(address))
})

test('resealing does not overwrite an address that was resealed after it was read', async () => {
  const statements = await resealing(after, outdated())
  const newer = await sealedAs(2, after)
  db.prepare('UPDATE users SET sealed_address = ? WHERE id = 2').run(newer)
  db.exec(statements)
  expect(db.prepare('SELECT sealed_address FROM users WHERE id = 2').get()).toMatchObject({ sealed_address: newer })
})

test('resealing throws at an address whose key is missing from the keyring', async () => {
  const sealed = await sealedAs(5)
  const foreign = [{ id: 5, sealed_address: `k1${sealed.slice(sealed.indexOf('.'))}` }]
  await expect(resealing(after, foreign)).rejects.toThrow('DATA_KEYS has no key k1')
})

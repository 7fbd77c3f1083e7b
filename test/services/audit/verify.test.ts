import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { checkLog } from '../../../scripts/audit-chain.ts'
import { cryptoConfig } from '../../../scripts/keyring.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import { sign } from '../../../src/platform/security/crypto.ts'
import { append } from '../../../src/services/audit/append.ts'
import { chainOf, hashOf } from '../../../src/services/audit/chain.ts'
import type { AuditRow } from '../../../src/services/audit/tables.ts'
import { auditOf } from '../../support/audit.ts'
import { unusedId } from '../../support/databases.ts'

const AUTH_SECRET = env.AUTH_SECRET
const context = (secret = AUTH_SECRET) => {
  const ctx = createContext({ env, waitUntil: () => {}, start: 'first-primary' })
  return { ...ctx, config: { ...ctx.config, AUTH_SECRET: secret } }
}
const bindings = { AUDIT: env.AUDIT, DIRECTORY: env.DIRECTORY } as Record<string, D1Database>
const query = async (binding: string, sql: string) => [(await bindings[binding]!.prepare(sql).run<never>()).results]
const sql = (text: string) => env.AUDIT.prepare(text).run()

/** What the check finds, all chains together. */
async function check(...secrets: string[]) {
  const found = { entries: 0, gaps: [] as string[], faults: [] as string[] }
  const configs = (secrets.length > 0 ? secrets : [AUTH_SECRET]).map((secret) => cryptoConfig({ AUTH_SECRET: secret }))
  for await (const { entries, gaps, faults } of checkLog(query, configs)) {
    found.entries += entries
    found.gaps.push(...gaps)
    found.faults.push(...faults.map((fault) => fault.replace(/ \(id.*?\)/, '')))
  }
  return found
}

const ada = '1000003' as Id
const bob = '1000005' as Id
let rows: AuditRow[]

/** A log of two chains, 3 and 5, with five entries each, whose triggers are gone, as after an attack by SQL. */
beforeEach(async () => {
  for (const trigger of ['audit_entries_stay', 'audit_entries_never_change'])
    await sql(`DROP TRIGGER IF EXISTS ${trigger}`)
  await sql('DELETE FROM audit_entries')
  await env.DIRECTORY.prepare('DELETE FROM audit_heads').run()
  for (let n = 0; n < 5; n++) {
    for (const accountId of [ada, bob])
      await append(context(), {
        accountId,
        actorId: bob,
        client: 'a.sealed',
        detail: '{"role":"user"}',
        action: 'registered',
        eventId: unusedId(0),
      })
  }
  rows = await auditOf(ada)
  expect([chainOf(ada), chainOf(bob), rows.length]).toEqual([3, 5, 5])
})

test('an untouched log has no faults, even if it is read in several pages', async () => {
  expect(await check()).toEqual({ entries: 10, gaps: [], faults: [] })
  let entries = 0
  for await (const checked of checkLog(query, [cryptoConfig({ AUTH_SECRET })], 2)) {
    expect(checked).toMatchObject({ gaps: [], faults: [] })
    entries += checked.entries
  }
  expect(entries).toBe(10)
})

test('a changed entry is found, whatever column was changed', async () => {
  const changes = [
    'id = id + 1',
    'at = at + 1',
    "action = 'x'",
    'account_id = 9',
    'actor_id = 9',
    'client = NULL',
    'detail = NULL',
    "detail = '{}'",
    'event_id = 9',
  ]
  for (const change of changes) {
    const { id, at, action, accountId, actorId, client, detail, eventId } = rows[2]!
    await sql(`UPDATE audit_entries SET ${change} WHERE chain = 3 AND seq = 3`)
    expect(await check(), change).toEqual({ entries: 10, gaps: [], faults: ['entry 3:3 was changed or inserted'] })
    await env.AUDIT.prepare(
      'UPDATE audit_entries SET id = ?, at = ?, action = ?, account_id = ?, actor_id = ?, client = ?, detail = ?, event_id = ? WHERE chain = 3 AND seq = 3',
    )
      .bind(
        ...[id, at, action, accountId, actorId, client, detail, eventId].map((value) =>
          /^\d+$/.test(String(value)) ? Number(value) : value,
        ),
      )
      .run()
  }
  expect((await check()).faults).toEqual([])
  await sql("UPDATE audit_entries SET hash = 'x' WHERE chain = 3 AND seq = 3")
  expect((await check()).faults).toEqual([
    'entry 3:3 was changed or inserted',
    'entry 3:4 does not follow the entry before it',
  ])
})

test('deleted entries are found: in the middle, the newest, a whole chain', async () => {
  await sql('DELETE FROM audit_entries WHERE chain = 3 AND seq IN (2, 3)')
  expect(await check()).toEqual({ entries: 8, gaps: ['3:2-3'], faults: [] })
  await sql('DELETE FROM audit_entries WHERE chain = 3 AND seq = 5')
  expect((await check()).gaps).toEqual(['3:2-3', '3:5-5'])
  await sql('DELETE FROM audit_entries WHERE chain = 3')
  expect(await check()).toEqual({ entries: 5, gaps: ['3:1-5'], faults: [] })
})

test('a deleted head is found, and a head that names another entry', async () => {
  await env.DIRECTORY.prepare("UPDATE audit_heads SET hash = 'x' WHERE chain = 3").run()
  await env.DIRECTORY.prepare('DELETE FROM audit_heads WHERE chain = 5').run()
  expect((await check()).faults).toEqual([
    'entry 3:5 is not the one whose hash is in DIRECTORY',
    'chain 5 has no head in DIRECTORY',
  ])
})

test('an inserted entry is found even if its link is right and its hash is made without the secret', async () => {
  const { seq, hash: previous, ...copied } = rows[4]!
  const forged = { ...copied, id: toId(Number(copied.id) + 1), seq: seq + 1, eventId: '9' as Id, previous }
  const guessed = await hashOf(cryptoConfig({ AUTH_SECRET: 'a guess' }), forged)
  const values = [forged.id, 3, forged.seq, forged.at, 9, 9, 9].map(Number)
  const insert = `INSERT INTO audit_entries (id, chain, seq, at, account_id, actor_id, event_id, action, previous, hash) VALUES (${values}, 'registered', '${previous}', '${guessed}')`
  await sql(insert)
  expect((await check()).faults).toEqual(['entry 3:6 was changed or inserted'])
  await sql('UPDATE audit_entries SET chain = 99 WHERE chain = 3 AND seq = 6')
  expect((await check()).faults).toEqual(['chain 99 has no head in DIRECTORY', 'entry 99:6 was changed or inserted'])
  await sql('UPDATE audit_entries SET chain = 3, seq = -1 WHERE chain = 99')
  expect((await check()).faults).toEqual(['entry 3:-1 was changed or inserted'])
})

test('swapped entries, and a chain that was renumbered to hide a removed entry, are found', async () => {
  await sql('UPDATE audit_entries SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE chain = 3 AND seq IN (2, 3)')
  await sql('UPDATE audit_entries SET seq = -seq WHERE seq < 0')
  const { gaps, faults } = await check()
  expect(gaps).toEqual([])
  for (const seq of [2, 3]) expect(faults).toContain(`entry 3:${seq} was changed or inserted`)
  await sql('DELETE FROM audit_entries WHERE chain = 5 AND seq = 2')
  for (const seq of [3, 4, 5]) await sql(`UPDATE audit_entries SET seq = ${seq - 1} WHERE chain = 5 AND seq = ${seq}`)
  const renumbered = await check()
  expect(renumbered.gaps).toEqual(['5:5-5'])
  for (const seq of [2, 3, 4]) expect(renumbered.faults).toContain(`entry 5:${seq} was changed or inserted`)
})

test('an older state of the log is found even after new entries were appended to it', async () => {
  await sql('DELETE FROM audit_entries WHERE chain = 3 AND seq > 3')
  await append(context(), { accountId: ada, action: 'registered', eventId: unusedId(0) })
  expect(await check()).toEqual({ entries: 9, gaps: ['3:4-5'], faults: [] })
})

test('after the secret was replaced, entries signed with the old one are valid before the first new one only', async () => {
  const fresh = 'the secret that replaced the one of the tests'
  await append(context(fresh), { accountId: ada, action: 'registered', eventId: unusedId(0) })
  expect((await check(fresh)).faults).toHaveLength(10)
  expect((await check(fresh, AUTH_SECRET)).faults).toEqual([])
  await append(context(), { accountId: ada, action: 'registered', eventId: unusedId(0) })
  expect((await check(fresh, AUTH_SECRET)).faults).toEqual([
    'entry 3:7 is signed with an older secret than an entry before it',
  ])
})

test('an entry that is older than the column of details keeps its hash, and a detail that was added to it is found', async () => {
  await append(context(), { accountId: ada, action: 'registered', eventId: unusedId(0) })
  const { chain, seq, id, at, action, accountId, actorId, client, eventId, previous, hash } = (await auditOf(ada)).at(
    -1,
  )!
  const signed = [chain, seq, id, at, action, accountId, actorId, client, eventId, previous]
  expect(hash).toBe(await sign(context().config, 'audit', JSON.stringify(signed)))
  await sql(`UPDATE audit_entries SET detail = '{"role":"admin"}' WHERE chain = 3 AND seq = 6`)
  expect((await check()).faults).toEqual(['entry 3:6 was changed or inserted'])
})

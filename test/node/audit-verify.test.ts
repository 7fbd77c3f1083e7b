import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateLocally, withSystem } from '../../scripts/databases.ts'

const stateDir = mkdtempSync(join(tmpdir(), 'audit-'))
beforeAll(() => migrateLocally(stateDir))
afterAll(() => rmSync(stateDir, { recursive: true }))

async function verify(...args: string[]) {
  const env = { ...process.env, AUTH_SECRET: '' }
  const child = spawn(process.execPath, ['scripts/audit-verify.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  })
  const closed = once(child, 'close')
  const output = (await Promise.all([text(child.stdout), text(child.stderr)])).join('')
  const [status] = await closed
  return { status, output }
}

test('npm run audit:verify names each fault and exits with code 1, until the gaps are explained', async () => {
  const where = ['--persist-to', stateDir]
  expect(await verify(...where)).toEqual({ status: 0, output: 'The audit log is complete and unchanged: 0 entries.\n' })
  await withSystem({ stateDir }, async (query) => {
    await query('DIRECTORY', "INSERT INTO audit_heads (chain, seq, hash) VALUES (3, 2, 'h'), (4, 0, '')")
    await query(
      'AUDIT',
      `INSERT INTO audit_entries (id, chain, seq, at, action, account_id, event_id, previous, hash)
         VALUES (11, 4, 1, 0, 'role-changed', 4, 12, '', 'forged')`,
    )
  })
  const faults = `chain 3: 0 entries
  entries 3:1-2 are missing
chain 4: 1 entries, the last one is 1 forged
  entry 4:1 (id 11, role-changed) was changed or inserted
2 faults in the audit log. See "The audit log" in docs/runbook.md.
`
  expect(await verify(...where)).toEqual({ status: 1, output: faults })
  await withSystem({ stateDir }, async (query) => {
    await query('AUDIT', 'DROP TRIGGER audit_entries_stay; DELETE FROM audit_entries')
  })
  expect(await verify(...where, '--gap', '3:1-2')).toMatchObject({
    status: 0,
    output: expect.stringContaining('entries 3:1-2 are missing, as you explained'),
  })
})

test('npm run audit:verify of a deployed system asks for its secret before it calls Cloudflare', async () => {
  expect(await verify('--env', 'staging')).toEqual({
    status: 1,
    output: 'Set the variable AUTH_SECRET to the secret of staging.\n',
  })
})

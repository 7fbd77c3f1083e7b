import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrateLocally, withSystem } from '../../scripts/databases.ts'

const stateDir = mkdtempSync(join(tmpdir(), 'operator-'))
const query = (binding: string, sql: string) => withSystem({ stateDir }, (run) => run(binding, sql))
const keyring = `k1:${btoa('k'.repeat(32))}`
const requests: string[] = []
const server = createServer(({ url }, response) => {
  requests.push(url!)
  response.end('ok')
})
const originOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await migrateLocally(stateDir)
  await withSystem({ stateDir }, async (run) => {
    await run(
      'DIRECTORY',
      `INSERT INTO users (id, email, email_verified, sealed_address, role, created_at, updated_at)
         VALUES (1024, 'a', 1, 'x', 'user', 0, 0), (2048, 'b', 0, 'x', 'user', 0, 0), (3072, 'c', 1, 'x', 'admin', 0, 0);
       INSERT INTO handles (handle, account_id, address, reserved_until)
         VALUES ('ada', 1024, 'a', NULL), ('bob', 2048, 'b', 1)`,
    )
    const letter = `'socialconnect-events', '{"type":"post.liked"}', 0`
    const letters = `('m1', ${letter}), ('m2', ${letter})`
    await run('SHARD_1', `INSERT INTO dead_letters (id, queue, body, failed_at) VALUES ${letters}`)
  })
})
afterAll(() => {
  server.close()
  rmSync(stateDir, { recursive: true })
})

/** Makes `spawnSync` throw, because the scripts would start wrangler with it and must not do so here. */
const withoutWrangler = `data:text/javascript,${encodeURIComponent(`
  import processes from 'node:child_process'
  import { syncBuiltinESMExports } from 'node:module'
  processes.spawnSync = () => { throw new Error('wrangler was started') }
  syncBuiltinESMExports()
`)}`

async function run(script: string, ...args: string[]) {
  const command = ['--import', withoutWrangler, `scripts/${script}.ts`, ...args, '--persist-to', stateDir]
  const env = { ...process.env, DATA_KEYS: keyring }
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const closed = once(child, 'close')
  const output = (await Promise.all([text(child.stdout), text(child.stderr)])).join('')
  const [status] = await closed
  return { status, output }
}

test('keys:rotate expires the key that signs tokens, and leaves it published', async () => {
  const insert = "INSERT INTO jwks (id, public_key, private_key, created_at) VALUES ('k', '{}', '{}', 0)"
  await query('DIRECTORY', insert)
  const { status, output } = await run('rotate-signing-key')
  expect([status, output]).toEqual([0, expect.stringContaining('Verifies tokens for another day: k.')])
  const [rows] = await query('DIRECTORY', 'SELECT expires_at FROM jwks')
  expect(rows?.[0]?.expires_at).toBeLessThanOrEqual(Date.now())
  expect((await run('rotate-signing-key')).output).toContain('There was no key.')
})

describe('npm run admin', () => {
  test('grants a verified account a role, revokes its access tokens and records an event', async () => {
    const before = Date.now()
    expect(await run('admin', 'grant', '@Ada', 'admin', '--url', originOf())).toEqual({
      status: 0,
      output: `@ada is now admin.
A new login or token refresh has the new role. Older access tokens keep the old role until they are revoked, within seconds at ${originOf()}.\n`,
    })
    expect(requests).toEqual(['/cdn-cgi/local/scheduled'])
    const [users, events] = await query(
      'DIRECTORY',
      'SELECT role, tokens_void_before FROM users WHERE id = 1024; SELECT type, data FROM outbox',
    )
    expect(users![0]!.role).toBe('admin')
    expect(users![0]!.tokens_void_before).toBeGreaterThanOrEqual(before)
    expect(events).toEqual([{ type: 'identity.role-changed', data: '{"accountId":"1024","role":"admin"}' }])
  })

  test('says when a role change takes effect if no server is running', async () => {
    const { output } = await run('admin', 'grant', 'ada', 'moderator', '--url', 'http://127.0.0.1:1')
    expect(output).toContain(
      'until they are revoked, within seconds of the server’s next start or write, because nothing answers at http://127.0.0.1:1.\n',
    )
  })

  test('keeps the last administrator who can log in, and refuses the role to accounts that cannot log in', async () => {
    await query('DIRECTORY', "UPDATE users SET role = 'admin'; UPDATE users SET email_verified = 0 WHERE id > 1024")
    const refused = expect.objectContaining({ status: 1 })
    expect(await run('admin', 'grant', 'ada', 'user')).toEqual(refused)
    await query('DIRECTORY', "UPDATE users SET approval = 'required', role = 'user' WHERE id = 1024")
    expect(await run('admin', 'grant', 'ada', 'admin')).toEqual(refused)
    await query('DIRECTORY', 'UPDATE users SET approval = NULL, suspended = 1 WHERE id = 1024')
    expect(await run('admin', 'grant', 'ada', 'admin')).toEqual(refused)
    await query('DIRECTORY', "UPDATE users SET suspended = 0, role = 'user'")
  })

  test('refuses unverified accounts and malformed commands', async () => {
    const nobody = {
      status: 1,
      output: 'No account with the handle bob can get the role: it cannot log in, or it is the last administrator.\n',
    }
    expect(await run('admin', 'grant', 'bob', 'admin')).toEqual(nobody)
    for (const args of [
      ['grant', "a'--", 'user'],
      ['grant', 'ada', 'boss'],
    ]) {
      expect(await run('admin', ...args)).toEqual({
        status: 2,
        output:
          'The arguments are: grant HANDLE user|moderator|admin, or create HANDLE ADDRESS. See: npm run admin -- --help\n',
      })
    }
    expect((await run('admin', 'grant', 'ada', 'user', '--env', 'prod')).output).toMatch(/^Unknown environment prod/)
  })
})

describe('npm run replay', () => {
  const marked = async () => (await query('SHARD_1', 'SELECT sum(replay) AS marked FROM dead_letters'))[0]![0]!.marked

  test('lists dead letters without starting wrangler for each database, and marks them unless --list is given', async () => {
    requests.length = 0
    const list = (await run('replay', '--list', '--url', originOf())).output
    expect(list).toContain(
      'DIRECTORY: none\nSHARD_0: none\nSHARD_1: 2\n  1970-01-01T00:00:00.000Z  socialconnect-events  post.liked\n',
    )
    expect(await marked()).toBe(0)
    expect(requests).toEqual([])
    expect((await run('replay', '--url', originOf())).output).toContain(
      `\nThey are marked for replay. The sweepers send them, a hundred at a time, starting within seconds at ${originOf()}.\n`,
    )
    expect(requests).toEqual(['/cdn-cgi/local/scheduled'])
    expect(await marked()).toBe(2)
  })
})

test('npm run keys -- rotate puts a new key in front of the keyring and prints how to store and use it', async () => {
  const { output } = await run('keys', 'rotate', '--env', 'staging')
  const [, renewed] = /^ {2}echo '(.+)' \| npx wrangler secret put DATA_KEYS --env staging$/m.exec(output) ?? []
  expect(renewed).toMatch(new RegExp(`^k2:.{44},${keyring}$`))
  expect(output).toContain(`  DATA_KEYS='${renewed}' npm run keys -- status --env staging\n`)
})

import { spawn } from 'node:child_process'
import { argon2Sync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateLocally, withDatabases, withSystem } from '../../scripts/databases.ts'
import { cryptoConfig } from '../../scripts/keyring.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { openFor } from '../../src/platform/security/account-keys.ts'

const stateDir = mkdtempSync(join(tmpdir(), 'create-admin-'))
const query = (binding: string, sql: string) => withSystem({ stateDir }, (run) => run(binding, sql))
const keys = { DATA_KEYS: `k1:${btoa('k'.repeat(32))}`, INDEX_KEY: btoa('i'.repeat(32)) }

beforeAll(() => migrateLocally(stateDir))
afterAll(() => rmSync(stateDir, { recursive: true }))

async function admin(args: string[], { imported = 'data:text/javascript,', env = {} } = {}) {
  const command = ['--import', imported, 'scripts/admin.ts', ...args, '--persist-to', stateDir]
  const child = spawn(process.execPath, [...command, '--url', 'http://127.0.0.1:1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...keys, ...env },
  })
  const closed = once(child, 'close')
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [status] = await closed
  return { status, out, err }
}

const rows = async () => {
  const [users, handles, credentials, events] = await query(
    'DIRECTORY',
    `SELECT * FROM users ORDER BY id; SELECT * FROM handles ORDER BY handle; SELECT * FROM credentials;
     SELECT type, data FROM outbox ORDER BY id`,
  )
  return { users: users!, handles: handles!, credentials: credentials!, events: events! }
}

test('admin create makes a verified admin with a key, a row on its shard and the printed password', async () => {
  const { status, out } = await admin(['create', '@Ada', 'Ada@Example.org'])
  const [, password] = /The password is shown only this once: (\S{24})\n/.exec(out) ?? []
  expect([status, out.split('\n')[0]]).toEqual([0, '@ada is now an admin with the address ada@example.org.'])
  const { users, handles, credentials, events } = await rows()
  const id = String(users[0]!.id) as Id
  expect(users).toMatchObject([{ email_verified: 1, role: 'admin', approval: null }])
  expect(handles).toMatchObject([{ handle: 'ada', account_id: users[0]!.id, reserved_until: null }])
  expect(events).toEqual([
    { type: 'identity.address-verified', data: `{"accountId":"${id}"}` },
    { type: 'identity.role-changed', data: `{"accountId":"${id}","role":"admin"}` },
  ])
  const [, memory, passes, lanes, salt, hash] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d),p=(\d)\$([\w+/]+)\$([\w+/]+)$/.exec(String(credentials[0]!.password)) ?? []
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(lanes), tagLength: 32 }
  const nonce = Buffer.from(salt!, 'base64')
  const expected = argon2Sync('argon2id', { message: password!, nonce, ...cost })
  expect(expected.toString('base64').replaceAll('=', '')).toBe(hash)

  const shards = await Promise.all(
    ['SHARD_0', 'SHARD_1'].map((shard) => query(shard, 'SELECT id, handle FROM accounts; SELECT * FROM follows')),
  )
  expect(shards.flatMap(([accounts]) => accounts)).toEqual([{ id: users[0]!.id, handle: 'ada' }])
  expect(shards.flatMap(([, follows]) => follows)).toHaveLength(1)
  const sealed = String(users[0]!.sealed_address)
  const config = cryptoConfig(keys)
  const address = await withDatabases(stateDir, (_, { KEYS }) =>
    openFor({ env: { KEYS }, config }, id, sealed, 'email'),
  )
  expect(address).toBe('ada@example.org')
})

test('a second run says so and changes nothing, and neither a handle nor an address is taken over', async () => {
  const before = await rows()
  const again = await admin(['create', 'ada', 'ada@example.org'])
  expect(again).toEqual({
    status: 0,
    out: '@ada is already an admin with this address. Nothing was changed.\n',
    err: '',
  })
  expect(await admin(['create', 'ada', 'other@example.org'])).toMatchObject({
    status: 1,
    err: '@ada exists already. To make it an admin: npm run admin -- grant ada admin\n',
  })
  expect(await admin(['create', 'eve', 'ada@example.org'])).toMatchObject({
    status: 1,
    err: 'Another account has this address.\n',
  })
  expect(await admin(['create', 'eve', 'not an@address'])).toMatchObject({ status: 2 })
  expect(await rows()).toEqual(before)
})

test('a registration that is not verified gives way to the admin', async () => {
  await query(
    'DIRECTORY',
    `INSERT INTO users (id, email, sealed_address, created_at, updated_at) VALUES (4096, 'b', 'x', 0, 0);
     INSERT INTO handles (handle, account_id, address, reserved_until) VALUES ('bob', 4096, 'b', ${Date.now() * 2})`,
  )
  expect((await admin(['create', 'bob', 'bob@example.org'])).status).toBe(0)
  const { users, handles } = await rows()
  expect(users.filter(({ id }) => id === 4096)).toEqual([])
  expect(handles.map(({ handle }) => handle)).toEqual(['ada', 'bob'])
})

test('the handle of an erased account and a former handle are refused while they are reserved', async () => {
  const later = Date.now() + 60_000
  await query(
    'DIRECTORY',
    `INSERT INTO handles (handle, account_id, address, reserved_until, mailed_at) VALUES
       ('erased', 8192, '', ${later}, 1), ('lapsed', 8193, '', 1, 1);
     INSERT INTO former_handles (handle, account_id, until) VALUES ('left', 1, ${later}), ('lapsed', 1, 1)`,
  )
  const before = await rows()
  for (const handle of ['erased', 'left']) {
    const { status, err } = await admin(['create', handle, 'dan@example.org'])
    expect([status, err]).toEqual([1, expect.stringContaining('belonged to another account and is reserved until')])
  }
  expect(await rows()).toEqual(before)
  expect(await admin(['create', 'lapsed', 'dan@example.org'])).toMatchObject({ status: 0 })
})

/** Prints the wrangler commands of the script instead of running them. */
const recorded = `data:text/javascript,${encodeURIComponent(`
  import processes from 'node:child_process'
  import { syncBuiltinESMExports } from 'node:module'
  processes.spawnSync = (_, args, { input = '' }) => {
    process.stderr.write(JSON.stringify({ args: args.slice(2), input }) + '\\n')
    return { status: 0, stdout: '[{"results":[]},{"results":[]}]', stderr: '' }
  }
  syncBuiltinESMExports()
`)}`

test('for a deployed system, the key goes to its bucket and the rows to its databases, without the password', async () => {
  const { status, out, err } = await admin(['create', 'ada', 'ada@example.org', '--env', 'staging'], {
    imported: recorded,
  })
  expect(status).toBe(0)
  const [, password] = /once: (\S+)/.exec(out) ?? []
  expect(err).not.toContain(password)
  const commands = err
    .trim()
    .split('\n')
    .map((line): { args: string[]; input: string } => JSON.parse(line))
  expect(
    commands.map(({ args }) =>
      args
        .slice(0, 4)
        .join(' ')
        .replace(/\d{10,}/, 'ID'),
    ),
  ).toEqual([
    'd1 execute DIRECTORY --remote',
    'd1 execute DIRECTORY --remote',
    'r2 object put socialconnect-staging-keys/accounts/ID',
    'd1 execute DIRECTORY --remote',
    expect.stringMatching(/^d1 execute SHARD_\d --remote$/),
  ])
  expect(commands.every(({ args }) => args.includes('staging'))).toBe(true)
  expect(commands[2]!.input).toMatch(/^k1\.[\w-]+$/)
})

test('without the keys of a deployed system, it says which variables to set', async () => {
  const { status, err } = await admin(['create', 'ada', 'ada@example.org', '--env', 'staging'], {
    imported: recorded,
    env: { DATA_KEYS: '', INDEX_KEY: '' },
  })
  expect([status, err]).toEqual([
    1,
    'DATA_KEYS and INDEX_KEY are needed. Set the variables DATA_KEYS and INDEX_KEY to the secrets of staging.\n',
  ])
})

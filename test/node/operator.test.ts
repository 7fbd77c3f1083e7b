import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute } from '../../scripts/d1.ts'
import { migrateLocally, withDatabases } from '../../scripts/databases.ts'

const stateDir = mkdtempSync(join(tmpdir(), 'operator-'))
const system = { stateDir }

beforeAll(async () => {
  await migrateLocally(stateDir)
  await withDatabases(stateDir, async ({ DIRECTORY, SHARD_1 }) => {
    const user = 'INSERT INTO users (id, email, email_verified, sealed_address, created_at, updated_at) VALUES '
    const letter = `INSERT INTO dead_letters (id, queue, body, failed_at) VALUES (?, 'socialconnect-events', ?, 0)`
    await DIRECTORY!.batch([
      DIRECTORY!.prepare(`${user} (1024, 'a', 1, 'x', 0, 0), (2048, 'b', 0, 'x', 0, 0)`),
      DIRECTORY!.prepare(`INSERT INTO handles (handle, account_id, address, reserved_until)
        VALUES ('ada', 1024, 'a', NULL), ('bob', 2048, 'b', 1)`),
    ])
    await SHARD_1!.batch(['m1', 'm2'].map((id) => SHARD_1!.prepare(letter).bind(id, '{"type":"post.liked"}')))
  })
})
afterAll(() => rmSync(stateDir, { recursive: true }))

function run(script: string, ...args: string[]) {
  const command = [`scripts/${script}.ts`, ...args, '--persist-to', stateDir]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

describe('npm run admin', () => {
  test('gives a verified account its role, voids its tokens, and announces it', () => {
    const before = Date.now()
    expect(run('admin', 'grant', '@Ada', 'admin')).toEqual({
      status: 0,
      said: '@ada is now admin. It takes a fresh login: earlier tokens are void.\n',
    })
    const [users, events] = execute(
      system,
      'DIRECTORY',
      'SELECT role, tokens_void_before FROM users WHERE id = 1024; SELECT type, data FROM outbox',
    )
    expect(users![0]!.role).toBe('admin')
    expect(users![0]!.tokens_void_before).toBeGreaterThanOrEqual(before)
    expect(events).toEqual([{ type: 'identity.role-changed', data: '{"accountId":"1024"}' }])
  })

  test('refuses whoever is not there yet, and what is not clear', () => {
    const nobody = { status: 1, said: 'Nobody has the handle bob, or its address is not verified yet.\n' }
    expect(run('admin', 'grant', 'bob', 'admin')).toEqual(nobody)
    for (const args of [
      ['grant', "a'--", 'user'],
      ['grant', 'ada', 'boss'],
    ]) {
      expect(run('admin', ...args).said).toMatch(/^Say who is to be what/)
    }
    expect(run('admin', 'grant', 'ada', 'user', '--env', 'prod').said).toMatch(/^There is no environment prod/)
  })
})

describe('npm run replay', () => {
  const marked = () => execute(system, 'SHARD_1', 'SELECT sum(replay) AS marked FROM dead_letters')[0]![0]!.marked

  test('lists the dead letters of every database, and marks them unless only that was asked for', () => {
    const list = run('replay', '--list').said
    expect(list).toContain(
      'DIRECTORY: none\nSHARD_0: none\nSHARD_1: 2\n  1970-01-01T00:00:00.000Z  socialconnect-events  post.liked\n',
    )
    expect(marked()).toBe(0)
    expect(run('replay').said).toContain('They are marked')
    expect(marked()).toBe(2)
  })
})

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a server killed during writes loses no acknowledged write and duplicates none', async () => {
  const run = promisify(execFile)(process.execPath, ['test/crash/crash.ts', '--kills', '2', '--writers', '10'])
  const { stdout } = await run
  expect(stdout).toContain('0 acknowledged posts lost')
  expect(stdout).toContain('0 acknowledged acts missing from the audit log')
  expect(stdout).not.toContain('FAIL')
}, 300_000)

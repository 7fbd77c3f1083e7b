import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the server, killed under writes, loses nothing that it acknowledged and makes nothing twice', async () => {
  const run = promisify(execFile)(process.execPath, ['test/crash/crash.ts', '--kills', '2', '--writers', '10'])
  const { stdout } = await run
  expect(stdout).toContain('0 acknowledged posts lost')
  expect(stdout).not.toContain('FAIL')
}, 300_000)

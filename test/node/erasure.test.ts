import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a deleted account leaves nothing readable in any file, although the server is killed while it erases', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/erasure/erasure.ts', '--kills', '2'])
  expect(stdout).toContain('ok   markers readable after: 0')
  expect(stdout).not.toContain('FAIL')
}, 300_000)

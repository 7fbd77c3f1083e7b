import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('an export is complete, and a deleted account leaves nothing readable, although the server is killed meanwhile', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/erasure/erasure.ts', '--kills', '2'])
  expect(stdout).toContain('ok   markers missing in the export: 0')
  expect(stdout).toContain('ok   markers readable after: 0')
  expect(stdout).not.toContain('FAIL')
}, 300_000)

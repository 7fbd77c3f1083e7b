import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// The run is too short for meaningful figures. It shows that the benchmark works, and that the built Worker processes
// all events with ENVIRONMENT set to production.
test.runIf(existsSync('/proc/self/schedstat'))(
  'the benchmark measures the built Worker and leaves no event unprocessed',
  async () => {
    const args = ['test/bench/bench.ts', '--no-save', '--rounds', '1', '--seconds', '0.1']
    const { stdout } = await promisify(execFile)(process.execPath, args)
    for (const name of ['one-row select', 'home feed, 200 followed', 'notifications', 'like a post, event included']) {
      expect(stdout).toMatch(new RegExp(`^${name} +\\d+ +\\d+`, 'm'))
    }
    expect(stdout.match(/^(met|missed) /gm)).toHaveLength(3)
  },
  300_000,
)

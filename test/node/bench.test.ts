import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// The short form: whether it measures, and the built Worker with production's settings works off what is written. The
// figures of so short a run say nothing.
test.runIf(existsSync('/proc/self/schedstat'))(
  'the bench measures the built Worker, and no event of it is left over',
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

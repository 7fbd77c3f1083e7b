import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['test/clients/clients.ts', ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: '/nonexistent' },
  })

test('a generated client is skipped, with a message, if its tools are missing', () => {
  const { status, stdout } = run()
  expect([status, stdout]).toEqual([
    0,
    [
      'python: skipped, because python3 cannot be found',
      'java: skipped, because java and javac and mvn cannot be found',
      ...['typescript', 'kotlin', 'swift', 'go', 'rust'].map(
        (name) => `${name}: skipped, because java and mvn cannot be found`,
      ),
      '',
    ].join('\n'),
  ])
})

test('an unknown language is refused', () => {
  const { status, stderr } = run('--only', 'cobol')
  expect([status, stderr]).toEqual([
    2,
    'Unknown language cobol: use one of python, java, typescript, kotlin, swift, go, rust. See: npm run test:clients -- --help\n',
  ])
})

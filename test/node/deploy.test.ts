import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findWrangler, isDryRun, persistsTo, setsVariables } from '../../scripts/wrangler.ts'
import { mockCloudflare } from '../support/cloudflare.ts'

let cloudflare: Awaited<ReturnType<typeof mockCloudflare>>
beforeAll(async () => {
  cloudflare = await mockCloudflare()
})
afterAll(() => cloudflare.close())

/** What is said and asked while `npx wrangler deploy` runs. After the build the mock refuses it, so that nothing is deployed. */
async function deploy(...options: string[]) {
  cloudflare.asked.length = 0
  const wrangler = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js', 'deploy']
  const child = spawn(process.execPath, [...wrangler, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...cloudflare.env },
  })
  const exited = once(child, 'exit')
  const said = (await Promise.all([text(child.stderr), text(child.stdout)])).join('')
  const [code, signal] = await exited
  return { said, asked: cloudflare.asked, ended: code ?? signal }
}

const names = ['directory', 'shard-0', 'shard-1', 'index'].map((name) => `socialconnect-staging-${name}`)

test('a dry run asks for nothing, and a deployment makes and migrates the databases before the code', async () => {
  const rehearsal = await deploy('--env', 'staging', '--dry-run')
  expect(rehearsal.said).toContain('A dry run: the deployment itself makes and migrates the databases.')
  expect(rehearsal.said).toContain('--dry-run: exiting now.')
  expect(rehearsal.asked).toEqual([])

  const { said, asked } = await deploy('--env', 'staging')
  expect([...cloudflare.databases.keys()], said).toEqual(names)
  for (const { name, sqlite } of cloudflare.databases.values()) {
    const tables = sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    expect({ name, tables: tables.length }).not.toEqual({ name, tables: 1 })
  }
  const codeFrom = asked.findIndex((line) => line.includes('/workers/'))
  const lastQuery = asked.findLastIndex((line) => line.endsWith('/query'))
  expect(lastQuery).toBeGreaterThan(0)
  expect(codeFrom).toBeGreaterThan(lastQuery)
}, 300_000)

test.each([
  [['--env', 'staging', '--var', 'ENVIRONMENT:development'], '--var goes unchecked: set variables in wrangler.toml.'],
  [['--env', ''], 'These are the settings of development: deploy with --env staging or --env production.'],
])(
  'what is refused with %j is said in wrangler’s last line, and nothing is asked for',
  async (options, line) => {
    const { said, asked, ended } = await deploy(...options)
    expect(said.trimEnd().split('\n').at(-1)).toContain(line)
    expect([ended, said]).toEqual(['SIGTERM', expect.not.stringContaining('ERROR')])
    expect(asked).toEqual([])
  },
  120_000,
)

test('how wrangler was called is read from its words', () => {
  const { pid } = spawn(process.execPath, ['-e', '1', 'versions', 'upload'])
  expect(findWrangler('versions upload', pid)).toEqual({ pid, call: expect.arrayContaining(['versions', 'upload']) })
  expect(findWrangler('no such command', process.pid)).toBeUndefined()
  for (const words of [['--dry-run'], ['--dryRun'], ['--dry-run=true']])
    expect(isDryRun(['deploy', ...words])).toBe(true)
  for (const words of [[], ['--dry-run=false'], ['--no-dry-run']]) expect(isDryRun(['deploy', ...words])).toBe(false)
  for (const words of [['--var', 'A:b'], ['--var=A:b']]) expect(setsVariables(['deploy', ...words])).toBe(true)
  expect(setsVariables(['deploy', '--keep-vars'])).toBe(false)
  for (const words of [['--persist-to', 'there'], ['--persist-to=there'], ['--persistTo', 'there']]) {
    expect(persistsTo(['dev', ...words, '--port', '1'])).toBe('there')
  }
  for (const words of [[], ['--persist-to']]) expect(persistsTo(['dev', ...words])).toBeUndefined()
})

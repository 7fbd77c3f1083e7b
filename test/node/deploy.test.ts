import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wranglerCommand } from '../../scripts/cli.ts'
import { mockCloudflare } from '../support/cloudflare.ts'

let cloudflare: Awaited<ReturnType<typeof mockCloudflare>>
beforeAll(async () => {
  cloudflare = await mockCloudflare()
})
afterAll(() => cloudflare.close())

/** Runs `wrangler deploy` against a mock of Cloudflare's API. The mock refuses the upload of the code. */
async function deploy(...options: string[]) {
  cloudflare.asked.length = 0
  const child = spawn(process.execPath, wranglerCommand('deploy', ...options), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...cloudflare.env },
  })
  const exited = once(child, 'exit')
  const output = (await Promise.all([text(child.stderr), text(child.stdout)])).join('')
  const [code] = await exited
  return { output, requests: cloudflare.asked, code }
}

const names = ['directory', 'shard-0', 'shard-1', 'index', 'audit', 'analytics'].map(
  (name) => `socialconnect-staging-${name}`,
)

test('a dry run sends no request, and a deployment creates and migrates databases before it uploads code', async () => {
  const rehearsal = await deploy('--env', 'staging', '--dry-run')
  expect(rehearsal.output).toContain('Dry run: only a deployment creates and migrates the databases.')
  expect(rehearsal.output).toContain('--dry-run: exiting now.')
  expect(rehearsal.requests).toEqual([])

  const { output, requests } = await deploy('--env', 'staging')
  expect([...cloudflare.databases.keys()], output).toEqual(names)
  for (const { name, sqlite } of cloudflare.databases.values()) {
    const tables = sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    expect({ name, tables: tables.length }).not.toEqual({ name, tables: 1 })
  }
  expect([...cloudflare.databases.values()].map(({ replication }) => replication)).toEqual(names.map(() => 'auto'))
  expect(output).toContain('Read replication is on for all 6 databases, 6 of which had none before.')
  const codeFrom = requests.findIndex((line) => line.includes('/workers/'))
  const lastQuery = requests.findLastIndex((line) => line.endsWith('/query'))
  expect(lastQuery).toBeGreaterThan(0)
  expect(codeFrom).toBeGreaterThan(lastQuery)
}, 300_000)

test.each([
  [['--env', 'staging', '--var', 'ENVIRONMENT:development'], '--var is not checked: set variables in wrangler.toml.'],
  [['--env', 'staging', '--env-file', '.dev.vars'], 'The options of wrangler are unknown'],
  [['--env', ''], 'Development is never deployed: use --env staging or --env production.'],
])(
  'a deployment with %j fails with a message and sends no request',
  async (options, message) => {
    const { output, requests, code } = await deploy(...options)
    expect(output).toContain(message)
    expect(code).toBe(1)
    expect(requests).toEqual([])
  },
  120_000,
)

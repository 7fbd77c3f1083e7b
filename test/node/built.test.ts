import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { buildWorker, LIMIT_KIB, workerFolder, workerSizes } from '../../scripts/build-worker.ts'
import { WEBHOOK_PORT, wranglerCommand, wranglerEnv } from '../../scripts/cli.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { freePort } from '../crash/server.ts'

const read = (name: string) => readFileSync(join(workerFolder, name), 'utf8')
const namesIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!)

/** The modules that are compiled when the module `name` loads: itself and, recursively, its static imports. */
function compiledWith(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  if (name.endsWith('.js'))
    for (const next of namesIn(read(name), /(?:from|import)"\.\/([^"]+)"/g)) compiledWith(next, seen)
  return seen
}

test('the Worker built for deployment loads auth, passwords, mail templates, OpenAPI, GraphQL and rarely used services only when used', async () => {
  await buildWorker()
  const eager = [...compiledWith('worker.js')]
  expect(eager.filter((name) => name.endsWith('.wasm') || read(name).includes('better-auth'))).toEqual([])
  const modules = readdirSync(workerFolder).filter((name) => name.endsWith('.js'))
  const lazy = new Set(modules.flatMap((name) => namesIn(read(name), /import\("\.\/([\w-]+-[A-Z0-9]{8}\.js)"\)/g)))
  expect(eager.filter((name) => lazy.has(name))).toEqual([])
  const needed = [
    'auth',
    'passwords',
    'common-passwords',
    'mail-templates',
    'openapi',
    'asyncapi',
    'handler',
    'registry',
  ]
  expect(needed.filter((name) => ![...lazy].some((module) => module.startsWith(`${name}-`)))).toEqual([])
})

test('the Worker built for deployment stays within its size', () => {
  expect(workerSizes().at(-1)!.gzip).toBeLessThanOrEqual(LIMIT_KIB)
})

test('the Worker built for deployment passes every step of the demo', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'built-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const variables = ['ENVIRONMENT:development', `BASE_URL:${url}`, `OUTBOUND_LOCAL_HOSTS:127.0.0.1:${WEBHOOK_PORT}`]
  const settings = [...variables.flatMap((variable) => ['--var', variable]), '--persist-to', stateDir]
  const where = ['--port', new URL(url).port, '--inspector-port', '0']
  const server = spawn(process.execPath, wranglerCommand('dev', '--env', 'staging', ...where, ...settings), {
    stdio: 'ignore',
    env: { ...wranglerEnv, STATE_DIR: stateDir },
  })
  try {
    while (!(await fetchInTime(`${url}/healthz`).catch(() => null))?.ok) {
      if (server.exitCode !== null || server.signalCode) throw new Error('wrangler exited before the Worker responded')
      await sleep(100)
    }
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/demo.ts', '--url', url])
    expect(stdout).toContain('All steps succeeded')
  } finally {
    server.kill('SIGTERM')
    await once(server, 'exit')
    rmSync(stateDir, { recursive: true })
  }
})

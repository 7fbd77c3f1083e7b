import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { isServing } from '../../scripts/wrangler.ts'
import { freePort } from '../crash/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'dev-'))
afterAll(() => rmSync(folder, { recursive: true }))

const wrangler = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js', 'dev', '--persist-to']
const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }

test('a state folder that cannot be written is said in wrangler’s last line', () => {
  const { signal, stdout, stderr } = spawnSync(process.execPath, [...wrangler, '/proc/none'], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  })
  expect(stdout.trimEnd().split('\n').at(-1)).toContain('The folder /proc/none cannot be written: ')
  expect([signal, stderr]).toEqual(['SIGTERM', ''])
})

test('wrangler dev migrates the databases of the folder that it is told', async () => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const where = [join(folder, 'state'), '--port', String(port), '--var', `BASE_URL:${origin}`]
  const server = spawn(process.execPath, [...wrangler, ...where], { stdio: 'ignore', env })
  const exited = once(server, 'exit')
  while (!(await fetch(`${origin}/healthz`).catch(() => null))?.ok && server.exitCode === null) await sleep(100)
  const body = JSON.stringify({ handle: 'ada', email: 'ada@example.org', password: 'analytical engines rule' })
  const headers = { 'content-type': 'application/json' }
  const { status } = await fetch(`${origin}/v1/auth/register`, { method: 'POST', headers, body })
  server.kill('SIGTERM')
  await exited
  expect(status).toBe(202)
})

test.each([
  [1, false],
  [2, true],
])('below wrangler run %d: whether one of them is a server is %s', async (count, serving) => {
  const start = `require('node:child_process').spawn('cat');`
  const child = spawn(process.execPath, ['-e', `${start.repeat(count)} console.log('on')`])
  await once(child.stdout, 'data')
  const said = isServing({ pid: child.pid!, call: [] })
  child.kill()
  expect(said).toBe(serving)
})

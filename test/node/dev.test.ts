import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { wranglerCommand, wranglerEnv } from '../../scripts/cli.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { freePort } from '../crash/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'dev-'))
afterAll(() => rmSync(folder, { recursive: true }))

const offline = { ...wranglerEnv, CLOUDFLARE_CF_FETCH_ENABLED: 'false' }

test('wrangler dev fails with a message when the state folder cannot be written', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const { status, stdout } = spawnSync(process.execPath, wranglerCommand('dev', '--persist-to', file), {
    encoding: 'utf8',
    env: { ...offline, STATE_DIR: file },
    timeout: 60_000,
  })
  expect(stdout).toContain(`The folder ${file} cannot be written: `)
  expect(status).toBe(1)
})

test('wrangler dev migrates the databases in STATE_DIR', async () => {
  const [port, state] = [await freePort(), join(folder, 'state')]
  const origin = `http://127.0.0.1:${port}`
  const ports = ['--port', String(port), '--inspector-port', '0']
  const options = ['--persist-to', state, '--var', `BASE_URL:${origin}`]
  const server = spawn(process.execPath, wranglerCommand('dev', ...ports, ...options), {
    stdio: 'ignore',
    env: { ...offline, STATE_DIR: state },
  })
  const exited = once(server, 'exit')
  while (!(await fetchInTime(`${origin}/healthz`).catch(() => null))?.ok && server.exitCode === null) await sleep(100)
  const body = JSON.stringify({ handle: 'ada', email: 'ada@example.org', password: 'analytical engines rule' })
  const headers = { 'content-type': 'application/json' }
  const { status } = await fetchInTime(`${origin}/v1/auth/register`, { method: 'POST', headers, body })
  server.kill('SIGTERM')
  await exited
  expect(status).toBe(202)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registryOf } from '../../scripts/cli.ts'
import { readToken } from '../../scripts/demo/inbox.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { freePort } from '../crash/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'inbox-'))
const [config, state] = [join(folder, 'config'), join(folder, 'state')]
const held: Socket[] = []
const silent = createServer((socket) => void held.push(socket))

/** Registers a server, as if it were a `wrangler dev` process, that accepts connections and never responds. */
function registerSilentServer(registry: string): void {
  const definition = { instanceId: 'silent', debugPortAddress: `127.0.0.1:${(silent.address() as AddressInfo).port}` }
  mkdirSync(registry, { recursive: true })
  writeFileSync(join(registry, 'silent'), JSON.stringify(definition))
}

async function startServer(): Promise<{ origin: string; stop: () => Promise<void> }> {
  const port = String(await freePort())
  const server = spawn(process.execPath, ['scripts/start.ts', '--port', port, '--persist-to', state], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: config },
  })
  await once(server.stdout, 'data')
  const stop = async () => {
    const exited = once(server, 'exit')
    if (server.kill('SIGTERM')) await exited
  }
  return { origin: `http://127.0.0.1:${port}`, stop }
}

let server: Awaited<ReturnType<typeof startServer>>
beforeAll(async () => {
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  server = await startServer()
})
afterAll(async () => {
  await server?.stop()
  for (const socket of held) socket.destroy()
  silent.close()
  rmSync(folder, { recursive: true })
})

const inbox = () => `${server.origin}/cdn-cgi/local/explorer/api/local/email/sending`

async function register(handle: string): Promise<string> {
  const email = `${handle}@example.org`
  const { status } = await fetchInTime(`${server.origin}/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ handle, email, password: 'analytical engines rule' }),
  })
  expect(status).toBe(202)
  return email
}

test('a server of another project that never responds does not block the mail inbox', async () => {
  registerSilentServer(join(config, '.wrangler/registry'))
  const email = await register('ada')
  expect(await readToken(server.origin, email)).not.toBe('')
  const { result } = (await (await fetchInTime(inbox())).json()) as { result: { to: string[] }[] }
  expect(result.map(({ to }) => to)).toEqual([[email]])
  expect(held).toEqual([])
})

test('a server with the same state that never responds does not block the token of a registration', async () => {
  registerSilentServer(registryOf(state))
  const email = await register('bob')
  await expect(fetchInTime(inbox(), {}, 3_000)).rejects.toThrow('did not respond within 3 s')
  expect(held).not.toEqual([])
  expect(await readToken(server.origin, email)).toMatch(/^\d+\.\d+\./)
})

test('a request to a process that never responds fails with its address', async () => {
  const { port } = silent.address() as AddressInfo
  await expect(fetchInTime(`http://127.0.0.1:${port}/v1`, {}, 50)).rejects.toThrow(
    `http://127.0.0.1:${port} did not respond within 0.05 s`,
  )
})

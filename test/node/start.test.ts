import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { freePort } from '../crash/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'start-'))
afterAll(() => rmSync(folder, { recursive: true }))

const isTaken = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

const file = join(folder, 'file')
writeFileSync(file, '')

test.each([
  [['--bogus'], 2, "Unknown option '--bogus'. See: npm start -- --help\n"],
  [['--prot', '1'], 2, "Unknown option '--prot'. Did you mean --port? See: npm start -- --help\n"],
  [['8788'], 2, /^Unexpected argument '8788'\. .*See: npm start -- --help\n$/],
  [['--port', 'abc'], 2, '--port takes a number from 1 to 65535. See: npm start -- --help\n'],
  [['--port', '65536'], 2, '--port takes a number from 1 to 65535. See: npm start -- --help\n'],
  [['--persist-to', file], 1, /^The folder .*file cannot be written: .*\n$/],
  [['--persist-to', join(file, 'below')], 1, /^The folder .*file\/below cannot be written: .*\n$/],
])('npm start with the invalid options %j fails with a message of one line', (options, code, line) => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/start.ts', ...options], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([code, typeof line === 'string' ? line : expect.stringMatching(line)])
})

test('npm start prints addresses and commands, then one line per request, and leaves no process behind', async () => {
  const port = await freePort()
  const state = join(folder, 'state')
  const options = ['--port', String(port), '--persist-to', state]
  const npm = spawn('npm', ['start', '--'].concat(options))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    npm.once('exit', () => reject(new Error(output)))
    npm.stderr.on('data', (chunk) => {
      output += chunk
    })
    npm.stdout.on('data', (chunk) => {
      output += chunk
      if (output.includes('npm run seed')) resolve()
    })
  })
  expect(output).toContain(`npm run demo -- --url http://127.0.0.1:${port} `)
  expect(output).toContain(`npm run seed -- --people 1000 --posts 20000 --persist-to ${state}\n`)
  expect(await isTaken(port)).toBe(true)
  await fetchInTime(`http://127.0.0.1:${port}/v1/posts/1?limit=1`)
  await expect.poll(() => output, { timeout: 10_000 }).toMatch(/^GET \/v1\/posts\/1 \d{3} \d+ ms [0-9a-f]{8}$/m)
  expect(output.slice(output.indexOf('npm run seed'))).not.toMatch(/wrangler:info|"level"/)
  const ended = once(npm, 'close')
  npm.kill('SIGTERM')
  await ended // 'close' means that every process with npm's output streams has exited
  await expect.poll(() => isTaken(port), { timeout: 10_000 }).toBe(false)
})

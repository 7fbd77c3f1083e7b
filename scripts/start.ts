import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8787' },
    'persist-to': { type: 'string', default: '.wrangler/state' },
    var: { type: 'string', multiple: true, default: [] },
  },
})
const { port, 'persist-to': stateDir, var: variables } = options
const origin = `http://127.0.0.1:${port}`

async function start(): Promise<void> {
  for (const binary of ['workerd', 'esbuild']) requireBinary(binary)
  requireWritable(stateDir)
  await requireFreePort()
  await prepare()
  const server = serve()
  const early: Buffer[] = []
  const keep = (chunk: Buffer) => early.push(chunk)
  server.stdout.on('data', keep)
  const exited = new Promise<number>((resolve) => server.once('exit', (code) => resolve(code ?? 0)))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => server.kill('SIGTERM'))

  const running = await healthy(server)
  process.stdout.write(running ? whereToLook() : Buffer.concat(early))
  server.stdout.off('data', keep).pipe(process.stdout)
  process.exitCode = await exited
}

function requireBinary(name: string): void {
  const { status } = spawnSync(`node_modules/${name}/bin/${name}`, ['--version'], { stdio: 'ignore' })
  if (status !== 0)
    throw new Error(`${name} is missing or does not run here: run npm install, with install scripts on.`)
}

function requireWritable(folder: string): void {
  const probe = join(folder, `.probe-${process.pid}`)
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw new Error(`The folder ${folder}, where the data lives, cannot be written: ${(error as Error).message}`)
  }
}

function requireFreePort(): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = ({ code }: NodeJS.ErrnoException) =>
      reject(new Error(`Port ${port} cannot be used (${code}): free it, or choose another: npm start -- --port 8788`))
    const probe = createServer().once('error', refuse)
    probe.listen(Number(port), '127.0.0.1', () => probe.close(() => resolve()))
  })
}

// wrangler's [build] step does the same; here, before it starts, a failure is one line instead of wrangler's report.
async function prepare(): Promise<void> {
  const [{ migrateLocally }, { writeDevVars }] = await Promise.all([import('./databases.ts'), import('./secrets.ts')])
  writeDevVars()
  await migrateLocally(stateDir)
}

function serve() {
  const wrangler = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js', 'dev']
  const vars = [`BASE_URL:${origin}`, ...variables].flatMap((variable) => ['--var', variable])
  const where = ['--port', port, '--persist-to', stateDir, ...vars]
  const offline = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }
  return spawn(process.execPath, [...wrangler, ...where, '--show-interactive-dev-session=false'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...offline, ...process.env, STATE_DIR: stateDir },
  })
}

async function healthy(server: ChildProcess): Promise<boolean> {
  while (server.exitCode === null && server.signalCode === null) {
    const answer = await fetch(`${origin}/healthz`).catch(() => undefined)
    if (answer?.ok) return true
    await sleep(100)
  }
  return false
}

const whereToLook = () => `
  SocialConnect runs. Its data stays in ${stateDir}; Ctrl-C stops it.

  Pages        ${origin}/
  API          ${origin}/docs
  Mail inbox   ${origin}/cdn-cgi/local/explorer/email/sending

  In another terminal:
  npm run demo    plays two people through the main features
  npm run seed -- --people 1000 --posts 20000

`

try {
  await start()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

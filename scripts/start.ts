import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { persistFlag, registryOf, systemOptions, WEBHOOK_PORT, wranglerCommand, wranglerEnv } from './cli.ts'
import { main, type Parsed, UsageError } from './command.ts'
import { fetchInTime } from './fetch-in-time.ts'
import { prepareLocally } from './prepare.ts'

const PORT = '8787'

type Options = { port: string; stateDir: string; variables: string[] }

const usage = {
  command: 'npm start',
  purpose: 'Prepares and runs the whole system on this machine, and prints its addresses. Ctrl-C stops it.',
  options: {
    port: { type: 'string', default: PORT, value: 'PORT', help: 'port on 127.0.0.1' },
    'persist-to': systemOptions['persist-to'],
    var: { type: 'string', multiple: true, value: 'NAME:VALUE', help: 'sets a variable; may be repeated' },
  },
  examples: ['', '--port 8788 --persist-to /tmp/other', '--var REQUESTS_PER_MINUTE:1000'],
} as const

function readOptions({
  port,
  'persist-to': stateDir,
  var: variables = [],
}: Parsed<typeof usage.options>['values']): Options {
  const isPort = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535
  if (!isPort) throw new UsageError('--port takes a number from 1 to 65535.')
  return { port, stateDir, variables }
}

const originOf = ({ port }: Options) => `http://127.0.0.1:${port}`

async function start(options: Options): Promise<void> {
  // wrangler's build step repeats this. But here, a failure is reported in one line, and there in a long report.
  await prepareLocally(options.stateDir)
  await requireFreePort(options.port)
  const server = serve(options)
  const exited = once(server, 'exit')
  const early: Buffer[] = []
  const keep = (chunk: Buffer) => early.push(chunk)
  server.stdout.on('data', keep)
  let ending = false
  const end = () => {
    ending = true
    server.kill('SIGTERM')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  onceOrphaned(end)

  const running = await healthy(server, originOf(options))
  process.stdout.write(running ? whereToLook(options) : Buffer.concat(early))
  printLines(server.stdout.off('data', keep))
  const [code] = await exited
  process.exitCode = code ?? (ending ? 0 : 1)
}

/** Prints the lines of wrangler, except those about requests: the Worker logs each request itself. */
function printLines(output: Readable): void {
  createInterface({ input: output }).on('line', (line) => {
    const isRequest = /^\[wrangler:info\] [A-Z]+ \/\S* \d{3} /.test(stripVTControlCharacters(line))
    if (!isRequest) process.stdout.write(`${line}\n`)
  })
}

/** Notices that the parent has died: npm sends a signal only to its shell, which dies without forwarding it. */
function onceOrphaned(end: () => void): void {
  const parent = process.ppid
  const look = () => {
    if (process.ppid !== parent) end()
  }
  setInterval(look, 500).unref()
}

function requireFreePort(port: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = ({ code }: NodeJS.ErrnoException) =>
      reject(new Error(`Port ${port} cannot be used (${code}). Choose another: npm start -- --port 8788`))
    const probe = createServer().once('error', refuse)
    probe.listen(Number(port), '127.0.0.1', () => probe.close(() => resolve()))
  })
}

function serve(options: Options) {
  const { port, stateDir, variables } = options
  const vars = [
    `BASE_URL:${originOf(options)}`,
    `OUTBOUND_LOCAL_HOSTS:127.0.0.1:${WEBHOOK_PORT}`,
    ...variables,
  ].flatMap((variable) => ['--var', variable])
  // Inspector port 0 means any free port, because two servers that start at once would both choose the default one.
  const where = ['--port', port, '--inspector-port', '0', '--persist-to', stateDir, ...vars]
  return spawn(process.execPath, wranglerCommand('dev', ...where, '--show-interactive-dev-session=false'), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_REGISTRY_PATH: registryOf(stateDir),
      ...wranglerEnv,
      STATE_DIR: stateDir,
    },
  })
}

async function healthy(server: ChildProcess, origin: string): Promise<boolean> {
  while (server.exitCode === null && server.signalCode === null) {
    const answer = await fetchInTime(`${origin}/healthz`).catch(() => undefined)
    if (answer?.ok) return true
    await sleep(100)
  }
  return false
}

function whereToLook(options: Options): string {
  const origin = originOf(options)
  return `
  SocialConnect is running. Its data are in ${options.stateDir}. Press Ctrl-C to stop.

  Pages        ${origin}/
  API          ${origin}/docs
  Mail inbox   ${origin}/cdn-cgi/local/explorer/email/sending

  In another terminal:
  npm run demo${options.port === PORT ? '' : ` -- --url ${origin}`}    plays the main scenario with two users
  npm run seed -- --people 1000 --posts 20000${persistFlag(options)}

`
}

await main(usage, ({ values }) => start(readOptions(values)))

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const limit = 700
const COLD_START_GOAL = 2

type Module = { name: string; raw: number; gzip: number }

/** Makes the Worker as `wrangler deploy` would send it. */
export function buildWorker(outdir: string): void {
  rmSync(outdir, { recursive: true, force: true })
  const wrangler = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js']
  const deploy = ['deploy', '--env', 'production', '--dry-run', '--minify', '--outdir', outdir]
  const { status, stdout, stderr } = spawnSync(process.execPath, [...wrangler, ...deploy], {
    encoding: 'utf8',
    env: { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', ...process.env },
  })
  if (status !== 0) throw new Error(`${stdout}${stderr}`)
}

function modules(outdir: string): Module[] {
  const names = readdirSync(outdir).filter((name) => ['.js', '.wasm'].includes(extname(name)))
  return names.map((name) => {
    const bytes = readFileSync(join(outdir, name))
    return { name, raw: bytes.length / 1024, gzip: gzipSync(bytes).length / 1024 }
  })
}

const line = ({ name, raw, gzip }: Module) =>
  `${name.padEnd(52)} ${raw.toFixed(1).padStart(8)} KiB ${gzip.toFixed(1).padStart(8)} KiB gzip\n`

function printSizes(outdir: string): void {
  const parts = modules(outdir)
  const sum = (key: 'raw' | 'gzip') => parts.reduce((total, part) => total + part[key], 0)
  const whole = { name: 'whole Worker', raw: sum('raw'), gzip: sum('gzip') }
  process.stdout.write([...parts, whole].map(line).join(''))
  if (whole.gzip > limit) {
    process.stderr.write(`The Worker is larger than its budget of ${limit} KiB gzip.\n`)
    process.exitCode = 1
  }
}

async function printColdStarts(outdir: string): Promise<void> {
  const { coldStarts } = await import('../test/bench/start-up.ts')
  process.stdout.write('\nCPU of workerd from its start to the first answer\n')
  const starts = await coldStarts(outdir)
  for (const { name, ms } of starts) process.stdout.write(`${name.padEnd(52)} ${ms.toFixed(0).padStart(8)} ms\n`)
  const [, skeleton, product] = starts
  const times = product!.ms / skeleton!.ms
  process.stdout.write(`${times.toFixed(2)} times the skeleton; the goal is ${COLD_START_GOAL} at most\n`)
}

if (import.meta.main) {
  buildWorker('dist/worker')
  printSizes('dist/worker')
  if (existsSync('/proc/self/stat')) await printColdStarts('dist/worker')
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildWorker, workerFolder } from './build-worker.ts'
import { main } from './command.ts'

const LIMIT_KIB = 700
const COLD_START_GOAL = 2

type Module = { name: string; raw: number; gzip: number }

function modules(): Module[] {
  const names = readdirSync(workerFolder).filter((name) => ['.js', '.wasm'].includes(extname(name)))
  return names.map((name) => {
    const bytes = readFileSync(join(workerFolder, name))
    return { name, raw: bytes.length / 1024, gzip: gzipSync(bytes).length / 1024 }
  })
}

const line = ({ name, raw, gzip }: Module) =>
  `${name.padEnd(52)} ${raw.toFixed(1).padStart(8)} KiB ${gzip.toFixed(1).padStart(8)} KiB gzip\n`

function printSizes(): void {
  const parts = modules()
  const sum = (key: 'raw' | 'gzip') => parts.reduce((total, part) => total + part[key], 0)
  const whole = { name: 'whole Worker', raw: sum('raw'), gzip: sum('gzip') }
  process.stdout.write([...parts, whole].map(line).join(''))
  if (whole.gzip > LIMIT_KIB) {
    process.stderr.write(`The Worker is larger than its budget of ${LIMIT_KIB} KiB gzip.\n`)
    process.exitCode = 1
  }
}

async function printColdStarts(): Promise<void> {
  const { coldStarts } = await import('../test/bench/start-up.ts')
  process.stdout.write('\nCPU time of workerd from its start to the first response\n')
  const starts = await coldStarts(workerFolder)
  for (const { name, ms } of starts) process.stdout.write(`${name.padEnd(52)} ${ms.toFixed(0).padStart(8)} ms\n`)
  const [, skeleton, product] = starts
  const times = product!.ms / skeleton!.ms
  process.stdout.write(`product: ${times.toFixed(2)} times the skeleton; the goal is at most ${COLD_START_GOAL}\n`)
}

const usage = {
  command: 'npm run build',
  purpose: 'Builds the minified Worker, and prints the sizes of its modules and, on Linux, the cost of a cold start.',
  examples: [''],
}

await main(usage, async () => {
  await buildWorker()
  printSizes()
  if (existsSync('/proc/self/stat')) await printColdStarts()
})

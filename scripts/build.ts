import { existsSync } from 'node:fs'
import { buildWorker, LIMIT_KIB, type Module, workerFolder, workerSizes } from './build-worker.ts'
import { main } from './command.ts'

const COLD_START_GOAL = 2

const line = ({ name, raw, gzip }: Module) =>
  `${name.padEnd(52)} ${raw.toFixed(1).padStart(8)} KiB ${gzip.toFixed(1).padStart(8)} KiB gzip\n`

function printSizes(): void {
  const sizes = workerSizes()
  process.stdout.write(sizes.map(line).join(''))
  if (sizes.at(-1)!.gzip > LIMIT_KIB) {
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

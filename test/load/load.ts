import { rmSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { buildWorker, workerFolder } from '../../scripts/build-worker.ts'
import { parseCommand } from '../../scripts/command.ts'
import { makeCrowd } from '../bench/crowd.ts'
import { type Figure, printFigures, updateFigures } from '../bench/figures.ts'
import { drive } from '../bench/load.ts'
import { cpuOf, openFileLimit, type Runtime, startWorkers } from '../bench/runtime.ts'
import { seed, seedRows } from '../bench/seed.ts'
import { makeTokens, type Tokens } from '../bench/tokens.ts'
import { baseline, bundleBaselines, product } from '../bench/workers.ts'
import { makeStateDir } from '../support/state-dir.ts'
import { figuresOf, RECOVERY_MS } from './goals.ts'
import { countLost } from './lost.ts'
import { mixOf } from './mix.ts'
import { Crowd, type Outcome, type Target } from './phase.ts'

process.env.WRANGLER_LOG ??= 'none'
const { values } = parseCommand({
  command: 'npm run test:load',
  purpose: `Lets people with persistent connections use the built Worker: 70 % home feeds, 15 % other reads, 15 % writes. First at a
rate that it should carry, then at twice that rate. Fails if an answer is neither a success nor 503 with Retry-After, or
if an acknowledged write is lost.`,
  options: {
    rate: {
      type: 'string',
      value: 'NUMBER',
      help: 'requests per second; by default a part of the rate of one-row selects',
    },
    share: { type: 'string', default: '0.3', value: 'NUMBER', help: 'that part' },
    think: {
      type: 'string',
      default: '30',
      value: 'SECONDS',
      help: 'how long people pause between requests, on average',
    },
    seconds: { type: 'string', default: '30', value: 'SECONDS', help: 'how long each phase is measured' },
    accounts: { type: 'string', default: '1500', value: 'NUMBER', help: 'how many accounts the people share' },
    update: { type: 'boolean', default: false, help: 'writes the results to docs/figures.md' },
  },
  examples: ['', '--rate 20 --think 2 --seconds 5 --accounts 100'],
})
const [share, think, seconds, accounts] = [values.share, values.think, values.seconds, values.accounts].map(Number) as [
  number,
  number,
  number,
  number,
]
const RECOVERY_S = 10
const FOLLOWED = 200
const POSTS = 20_000
const [FILES_PER_GUARD, FILES_PER_CONNECTION, RESERVED_FILES] = [3, 2, 500]
const say = (text: string) => void process.stderr.write(`${text}\n`)

type OneRow = { rate: number; cpu: number }

/** How many one-row selects a second the machine carries in this run, and the CPU time of each in ms. */
async function measureOneRow(runtime: Runtime): Promise<OneRow> {
  const port = await runtime.portOf('one-row')
  const traffic = { method: 'GET', paths: Array.from({ length: 1_000 }, (_, i) => `/${i + 1}`), tokens: [] }
  const rounds: OneRow[] = []
  for (let i = 0; i < 4; i++) {
    const before = cpuOf(runtime.pid)
    const { rps, requests } = await drive(traffic, { port, connections: 8, from: 0, seconds: 1 })
    rounds.push({ rate: rps, cpu: ((cpuOf(runtime.pid) - before) / requests) * 1_000 })
  }
  return rounds.toSorted((a, b) => b.rate - a.rate)[0]!
}

/** workerd closes connections without an answer if it may open no more files. */
const mostPeople = () => (openFileLimit() - FILES_PER_GUARD * accounts - RESERVED_FILES) / FILES_PER_CONNECTION

/** Seeds the databases. Returns what the people do, and their tokens. */
async function prepare(runtime: Runtime, signing: Tokens): Promise<Omit<Target, 'thinkMs'>> {
  const community = makeCrowd({ people: accounts, followed: Math.min(FOLLOWED, accounts / 2), posts: POSTS })
  await seed((database) => runtime.open('product', database), community, signing)
  await seedRows(await runtime.open('one-row', 'DB'))
  const tokens: string[] = []
  for (const id of community.accounts) tokens.push(await signing.tokenOf(id))
  return { port: await runtime.portOf('product'), tokens, next: mixOf(community) }
}

async function run(runtime: Runtime, signing: Tokens): Promise<void> {
  say('Seeding')
  const target = await prepare(runtime, signing)
  const oneRow = await measureOneRow(runtime)
  const rate = Number(values.rate ?? oneRow.rate * share)
  const people = Math.floor(Math.min(rate * think, mostPeople() / 2))
  const pause = people / rate
  say(`${people} people, ${rate.toFixed(0)} requests a second, ${pause.toFixed(1)} s between those of one`)
  const visitors = new Crowd({ ...target, thinkMs: pause * 1_000 })
  visitors.join(people)
  await visitors.observe(seconds / 2) // not measured: caches fill, and code is compiled
  const before = cpuOf(runtime.pid)
  const normal = await visitors.observe(seconds)
  const cpu = ((cpuOf(runtime.pid) - before) / (normal.rate * seconds)) * 1_000
  say(`${2 * people} people`)
  visitors.join(people)
  await visitors.observe(seconds / 4)
  const double = await visitors.observe(seconds)
  const left = performance.now()
  const leaving = visitors.leave()
  await visitors.observe(RECOVERY_S)
  const recovery = visitors.recoveryAfter(left, RECOVERY_MS)
  await Promise.all([leaving, visitors.leave()])
  report(figuresOf({ oneRow, people, normal, double, recovery, cpu }), {
    wrong: [normal, double],
    lost: await countLost(target, visitors.acknowledged),
    written: visitors.acknowledged.posts.size + visitors.acknowledged.likes.size,
  })
}

type Check = { wrong: Outcome[]; lost: number; written: number }

function report(figures: Figure[], { wrong, lost, written }: Check): void {
  printFigures(figures)
  const failed = wrong.reduce((sum, phase) => sum + phase.wrong, 0)
  say(`  ${failed === 0 ? 'ok  ' : 'FAIL'} ${failed} answers are neither a success nor 503 with Retry-After`)
  for (const { example } of wrong) if (example) say(`       ${example}`)
  say(`  ${lost === 0 ? 'ok  ' : 'FAIL'} ${lost} of ${written} acknowledged writes lost`)
  if (failed + lost > 0) process.exitCode = 1
  if (values.update) updateFigures('load', figures)
}

const stateDir = makeStateDir('load')
const signing = await makeTokens()
await bundleBaselines()
await buildWorker()
const runtime = await startWorkers([product(workerFolder, signing), baseline('one-row', signing)], stateDir)
try {
  await run(runtime, signing)
} finally {
  await runtime.stop()
  rmSync(stateDir, { recursive: true })
}

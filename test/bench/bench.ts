import { rmSync } from 'node:fs'
import { buildWorker, workerFolder } from '../../scripts/build-worker.ts'
import { parseCommand } from '../../scripts/command.ts'
import { makeStateDir } from '../support/state-dir.ts'
import { type Case, makeCases } from './cases.ts'
import { drive } from './load.ts'
import { goalsOf, print, type Round, save, summarize } from './report.ts'
import { cpuOf, cpuWhenIdle, type Runtime, startWorkers } from './runtime.ts'
import { makeCommunity, seed, seedRows } from './seed.ts'
import { makeTokens } from './tokens.ts'
import { baseline, besideProduct, bundleBaselines, caller, product } from './workers.ts'

process.env.WRANGLER_LOG ??= 'none'
const { values } = parseCommand({
  command: 'npm run bench',
  purpose: 'Measures the CPU time per request of the built Worker, and writes docs/bench.json and docs/bench.svg.',
  options: {
    rounds: { type: 'string', default: '16', value: 'NUMBER', help: 'how often each case is measured' },
    seconds: { type: 'string', default: '0.7', value: 'NUMBER', help: 'how long a round lasts' },
    connections: { type: 'string', default: '8', value: 'NUMBER', help: 'how many requests run at once' },
    only: {
      type: 'string',
      value: 'TEXT',
      help: 'measures only the cases whose name contains the text, and the baselines',
    },
    save: { type: 'boolean', default: true, help: 'writes the results; --no-save only prints them' },
  },
  examples: ['', '--rounds 4 --no-save'],
})
const [rounds, seconds, connections] = [Number(values.rounds), Number(values.seconds), Number(values.connections)]

/**
 * Measures one round of a case. Each round begins 10,000 places further in the lists of paths and tokens, because a
 * repeated like would write nothing. The first requests are not measured: they wake idle Durable Objects, and let V8
 * compile again what it discarded while other Workers ran.
 */
async function measure(runtime: Runtime, { name, worker, traffic, writes }: Case, round: number): Promise<Round> {
  const port = await runtime.portOf(worker)
  const cpu = () => (writes ? cpuWhenIdle(runtime.pid) : cpuOf(runtime.pid))
  const from = round * 10_000
  const woken = await drive(traffic, { port, connections, from, requests: traffic.tokens.length })
  const warm = await drive(traffic, { port, connections, from: from + woken.requests, seconds: seconds / 2 })
  const before = await cpu()
  const next = from + woken.requests + warm.requests
  const outcome = await drive(traffic, { port, connections, from: next, seconds })
  const after = await cpu()
  if (outcome.failures > 0) throw new Error(`${name}: ${outcome.failures} of ${outcome.requests} requests failed`)
  return { ...outcome, cpu: ((after - before) / outcome.requests) * 1e6 }
}

async function bench(stateDir: string): Promise<void> {
  const tokens = await makeTokens()
  const community = makeCommunity()
  await bundleBaselines()
  await buildWorker()
  const small = ['bare', 'hello', 'checked', 'one-row'].map((name) => baseline(name, tokens))
  const runtime = await startWorkers(
    [
      product(workerFolder, tokens),
      besideProduct('guarded', tokens),
      besideProduct('statements', tokens),
      caller(),
      ...small,
    ],
    stateDir,
  )
  try {
    await seed((database) => runtime.open('product', database), community, tokens)
    await seedRows(await runtime.open('one-row', 'DB'))
    const { only } = values
    const all = await makeCases(community, tokens)
    const cases = only ? all.filter(({ name, worker }) => worker !== 'product' || name.includes(only)) : all
    const measured = cases.map((it) => ({ ...it, rounds: [] as Round[] }))
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`Round ${round + 1} of ${rounds}\n`)
      const inTurn = round % 2 === 0 ? measured : measured.toReversed() // so that a slowing machine favours no case
      for (const it of inTurn) it.rounds.push(await measure(runtime, it, round))
    }
    for (const shard of ['SHARD_0', 'SHARD_1']) {
      const left = await runtime.count('product', shard, 'outbox')
      if (left > 0) throw new Error(`${left} events of ${shard} were not processed`)
    }
    const lines = summarize(measured)
    const goals = only ? [] : goalsOf(lines)
    print(lines, goals)
    if (values.save && !only) save(lines, goals)
  } finally {
    await runtime.stop()
  }
}

const stateDir = makeStateDir('bench')
try {
  await bench(stateDir)
} finally {
  rmSync(stateDir, { recursive: true })
}

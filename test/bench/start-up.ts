import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { serveD1, startBare } from './bare-workerd.ts'
import { median } from './report.ts'
import { cpuOf } from './runtime.ts'
import { makeCommunity, type Store, seed } from './seed.ts'
import { makeTokens, type Tokens } from './tokens.ts'
import { baselineModule, bundleBaselines, productModules, runtime, variables } from './workers.ts'

const STARTS = 25
const objects = { HUB: 'Hub', GUARD: 'AccessGuard', REVOCATIONS: 'RevocationFeed', SWEEPER: 'Sweeper' }

export type ColdStart = { name: string; ms: number }

/**
 * The median CPU time of a workerd process from its start to its first response, for three Workers started in turn: a
 * hello, a skeleton that reads one row with the product's libraries, and the product in `folder` with a home feed.
 */
export async function coldStarts(folder: string): Promise<ColdStart[]> {
  const dir = mkdtempSync(join(tmpdir(), 'start-up-'))
  try {
    await bundleBaselines()
    const tokens = await makeTokens()
    const { databases, token } = await serveCommunity(tokens)
    const settings = { ...runtime, variables: variables(tokens), databases }
    const workers = [
      { name: 'hello', modules: [baselineModule('bare')], objects: {}, ...settings },
      { name: 'skeleton', modules: [baselineModule('skeleton')], objects, ...settings },
      { name: 'product', modules: productModules(folder), objects, ...settings },
    ]
    const taken = workers.map(() => [] as number[])
    for (let n = 0; n < STARTS; n++) {
      for (const [i, worker] of workers.entries()) taken[i]!.push(await firstAnswer(worker, dir, token))
    }
    return workers.map(({ name }, i) => ({ name, ms: median(taken[i]!) }))
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** Serves the databases from this process, so that their CPU time is not counted. Also returns a reader's token. */
async function serveCommunity(tokens: Tokens) {
  const community = makeCommunity()
  const databases: Record<string, number> = {}
  const open = async (binding: string): Promise<Store> => {
    const database = new DatabaseSync(':memory:')
    databases[binding] = await serveD1(database)
    return (sql, ...values) => database.prepare(sql).run(...values)
  }
  await seed(open, community, tokens)
  return { databases, token: await tokens.tokenOf(community.readers[200][0]!) }
}

async function firstAnswer(worker: Parameters<typeof startBare>[0], dir: string, token: string): Promise<number> {
  const { process, port } = await startBare(worker, dir)
  try {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetchInTime(`http://127.0.0.1:${port}/v1/feeds/home`, { headers })
    const body = await answer.text()
    if (!answer.ok) throw new Error(`The first response was ${answer.status}: ${body}`)
    return cpuOf(process.pid!) * 1_000
  } finally {
    process.kill('SIGKILL')
  }
}

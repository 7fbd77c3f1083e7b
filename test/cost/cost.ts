import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildWorker, workerFolder } from '../../scripts/build-worker.ts'
import { parseCommand } from '../../scripts/command.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { makeCrowd } from '../bench/crowd.ts'
import { type Figure, printFigures, updateFigures } from '../bench/figures.ts'
import { cpuWhenIdle, startWorkers } from '../bench/runtime.ts'
import { seed } from '../bench/seed.ts'
import { makeTokens } from '../bench/tokens.ts'
import { bundleBaselines, meteredProduct } from '../bench/workers.ts'
import { Audience } from '../sockets/audience.ts'
import { makeStateDir } from '../support/state-dir.ts'
import { type Act, actsOf, firstRequest } from './acts.ts'
import { billOf, type Counted, countsOf } from './bill.ts'
import { priceOf } from './prices.ts'

process.env.WRANGLER_LOG ??= 'none'
const { values } = parseCommand({
  command: 'npm run cost',
  purpose: `Counts on the built Worker what a day of people uses of Cloudflare, with all that follows from it, and prints
the dollars for a thousand monthly actives. 30 % of them are active on a day, 3 % are online, each follows 200 others.`,
  options: {
    people: { type: 'string', default: '240', value: 'NUMBER', help: 'how many people are counted; more than 201' },
    repeat: { type: 'string', default: '1', value: 'FACTOR', help: 'how often all acts are repeated' },
    update: { type: 'boolean', default: false, help: 'writes the results to docs/figures.md' },
  },
  examples: ['', '--repeat 0.1'],
})
const [PEOPLE, REPEAT] = [Number(values.people), Number(values.repeat)]
const [FOLLOWED, POSTS, ONLINE] = [200, 10_000, 0.03]
const [MONTHLY, DAILY, DAYS] = [1_000, 0.3, 30]
const SOCKETS_PER_DAY = 4
/** People pause so long between requests, which decides how often their limits are checked. */
const THINK_MS = 30_000
const ALARMS_PER_MONTH = (30 * 86_400) / 5
const LINGER_MS = 150_000
const say = (text: string) => void process.stderr.write(`${text}\n`)

type Use = Record<string, number>

const tokens = await makeTokens()
await bundleBaselines()
await buildWorker()
const stateDir = makeStateDir('cost')
const limits = { REQUESTS_PER_MINUTE: '100', POSTS_PER_DAY: '1000' }
const product = await startWorkers([meteredProduct(workerFolder, tokens, limits)], stateDir)
const port = await product.portOf('product')
const origin = `http://127.0.0.1:${port}`
const community = makeCrowd({ people: PEOPLE, followed: FOLLOWED, posts: POSTS })
const signed: string[] = []

/** What the Worker has used, once it is idle. The sweepers' share is left out: it does not grow with the people. */
async function use(): Promise<Use> {
  const cpuMs = (await cpuWhenIdle(product.pid)) * 1_000
  const all = (await (await fetchInTime(`${origin}/meter`)).json()) as Use
  return { ...Object.fromEntries(Object.entries(all).filter(([name]) => !/^sweeper/i.test(name))), cpuMs }
}

/** What `work` uses each of `times` times. */
async function count(name: string, perDay: number, times: number, work: () => Promise<void>): Promise<Counted> {
  say(`${times} times: ${name}`)
  const before = await use()
  await work()
  const after = await use()
  const each = Object.entries(after).map(([key, value]) => [key, (value - (before[key] ?? 0)) / times] as const)
  return { name, perMonth: perDay * MONTHLY * DAILY * DAYS, use: Object.fromEntries(each) }
}

const countAct = (act: Act, times: number) => count(act.name, act.perDay, times, () => perform(act, times))

/** The monthly dollars of a sweeper that never rests: every database with an outbox has one, however many people write. */
async function sweeping(): Promise<Figure> {
  const all = (await (await fetchInTime(`${origin}/meter`)).json()) as Use
  const alarms = all['Sweeper.alarms'] ?? 1
  const perAlarm = ['alarms', 'rowsRead', 'rowsWritten'].map((what) => {
    return priceOf(`Sweeper.${what}`, ((all[`Sweeper.${what}`] ?? 0) / alarms) * ALARMS_PER_MONTH)?.dollars ?? 0
  })
  const dollars = perAlarm.reduce((sum, part) => sum + part, 0)
  return { what: 'in addition, for each database with events', value: `$${dollars.toFixed(2)}`, isMet: null }
}

let sent = 1
/** Sends the requests one after another, each of another person. After a round, all of them pause. */
async function perform({ name, request }: Act, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const number = sent++ % PEOPLE
    if (number === 0) await fetchInTime(`${origin}/meter?ms=${THINK_MS}`, { method: 'POST' })
    const { method, path, body } = request(community.accounts[number]!, n)
    const headers = { authorization: `Bearer ${signed[number]}`, 'content-type': 'application/json' }
    const answer = await fetchInTime(`${origin}${path}`, { method, headers, body })
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
  }
}

/** Opens a socket of each person and closes it, and waits until the hubs have forgotten them, after two alarms. */
async function visit(audience: Audience, people: number): Promise<void> {
  await audience.open(people, 50)
  await audience.close()
  await sleep(LINGER_MS)
}

async function run(): Promise<void> {
  say('Seeding')
  await seed((database) => product.open('product', database), community, tokens)
  for (const id of community.accounts) signed.push(await tokens.tokenOf(id))
  const online = Math.round(PEOPLE * ONLINE)
  const venue = { pid: product.pid, port, postIn: () => null }
  const sockets = (from: number) =>
    new Audience({ ...venue, addressOf: (n) => ({ path: '/v1/realtime', token: signed[from + n]! }) })
  const visitors = PEOPLE - online
  const first = await countAct(firstRequest(), PEOPLE - 1) // one fewer than a round, so that the clock does not move yet
  // Before the other acts, because alarms do not follow the clock that `perform` moves.
  const visits = await count('socket', SOCKETS_PER_DAY, visitors, () => visit(sockets(online), visitors))
  await sockets(0).open(online, 50)
  const counted = [first, visits]
  for (const act of actsOf(community)) counted.push(await countAct(act, Math.ceil(act.times * REPEAT)))
  const figures = [...billOf(counted), await sweeping(), ...countsOf(counted)]
  printFigures(figures)
  if (values.update) updateFigures('cost', figures)
}

try {
  await run()
} finally {
  await product.stop()
  rmSync(stateDir, { recursive: true })
}

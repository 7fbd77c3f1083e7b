import { rmSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { buildWorker, workerFolder } from '../../scripts/build-worker.ts'
import { parseCommand } from '../../scripts/command.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { SocketClient } from '../sockets/client.ts'
import { makeStateDir } from '../support/state-dir.ts'
import { addFollowers, makeCrowd } from './crowd.ts'
import { atMost, type Figure, printFigures, updateFigures } from './figures.ts'
import { drive } from './load.ts'
import { startWorkers } from './runtime.ts'
import { seed } from './seed.ts'
import { makeTokens } from './tokens.ts'
import { bundleBaselines, meteredProduct } from './workers.ts'

process.env.WRANGLER_LOG ??= 'none'
const { values } = parseCommand({
  command: 'npm run bench:messages',
  purpose: `Sends messages on the built Worker: as fast as they are acknowledged, to a group with open sockets, and one at a time.
Fails if a send is not acknowledged, or if a socket does not get the last message.`,
  options: {
    members: { type: 'string', default: '50', value: 'NUMBER', help: 'how many members of the group are online' },
    seconds: { type: 'string', default: '8', value: 'NUMBER', help: 'how long messages are sent' },
    update: { type: 'boolean', default: false, help: 'writes the results to docs/figures.md' },
  },
  examples: ['', '--members 10 --seconds 2'],
})
const [members, seconds] = [Number(values.members), Number(values.seconds)]
const WRITERS = 16
const SINGLES = 100
const DEADLINE_MS = 30_000

type Use = Record<string, number>
type Scene = { port: number; tokens: string[]; ids: string[]; use: () => Promise<Use> }

/** Accounts of two shards, who all follow the first one. */
async function setScene(stateDir: string) {
  const tokens = await makeTokens()
  await bundleBaselines()
  await buildWorker()
  const runtime = await startWorkers([meteredProduct(workerFolder, tokens, { GROUP_ACCOUNT_MINUTES: '0' })], stateDir)
  const crowd = makeCrowd({ people: members, followed: 1, posts: 1 })
  const [owner, ...others] = crowd.accounts
  addFollowers(crowd, owner!, others)
  await seed((database) => runtime.open('product', database), crowd, tokens)
  const port = await runtime.portOf('product')
  const use = async () => (await fetchInTime(`http://127.0.0.1:${port}/meter`)).json() as Promise<Use>
  const signed = await Promise.all(crowd.accounts.map((id) => tokens.tokenOf(id)))
  const scene: Scene = { port, tokens: signed, ids: crowd.accounts, use }
  return { runtime, scene }
}

async function post<T>({ port, tokens }: Scene, by: number, path: string, body: object): Promise<T> {
  const headers = { authorization: `Bearer ${tokens[by]}`, 'content-type': 'application/json' }
  const request = { method: 'POST', headers, body: JSON.stringify(body) }
  const answer = await fetchInTime(`http://127.0.0.1:${port}/v1${path}`, request)
  if (!answer.ok) throw new Error(`${path} failed with ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

/** A member with a socket, which knows the last message that it has heard of. */
class Ear {
  seq = 0
  private waiting: { seq: number; done: () => void } | null = null

  static async open({ port, tokens }: Scene, member: number, conversationId: string): Promise<Ear> {
    const [ear, hello] = [new Ear(), Promise.withResolvers<void>()]
    const onText = (text: string) => {
      if (text.includes('"hello"')) hello.resolve()
      else if (text.includes(conversationId)) ear.hear(Number(/"data":\{[^}]*"seq":(\d+)/.exec(text)?.[1] ?? 0))
    }
    await SocketClient.open(port, '/v1/realtime?channels=conversations', tokens[member]!, { onText })
    await hello.promise
    return ear
  }

  async until(seq: number): Promise<void> {
    if (this.seq >= seq) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.waiting = { seq, done: resolve }
    const late = setTimeout(() => reject(new Error(`a socket heard up to ${this.seq} of ${seq}`)), DEADLINE_MS)
    await promise.finally(() => clearTimeout(late))
  }

  private hear(seq: number): void {
    this.seq = Math.max(this.seq, seq)
    if (this.waiting && this.seq >= this.waiting.seq) this.waiting.done()
  }
}

let sent = 0
const bodyOf = () =>
  JSON.stringify({ clientId: `message-${++sent}`, text: 'Low tide at noon: who walks to the island?' })

/** Sends as fast as possible, and waits until all sockets have heard of the last message. */
async function flood(scene: Scene, conversationId: string, ears: readonly Ear[], writers: number) {
  const [before, began] = [await scene.use(), performance.now()]
  const path = `/v1/conversations/${conversationId}/messages`
  const traffic = { method: 'POST', paths: [path], tokens: [scene.tokens[0]!], body: bodyOf }
  const outcome = await drive(traffic, { port: scene.port, connections: writers, from: 0, seconds })
  if (outcome.failures > 0) throw new Error(`${outcome.failures} of ${outcome.requests} sends failed`)
  const last = await post<{ seq: number }>(scene, 0, path.slice('/v1'.length), JSON.parse(bodyOf()))
  await Promise.all(ears.map((ear) => ear.until(last.seq)))
  const messages = outcome.requests + 1
  return {
    acknowledged: outcome.rps,
    heard: messages / ((performance.now() - began) / 1_000),
    ...(await per(scene, before, messages)),
  }
}

async function per(scene: Scene, before: Use, messages: number) {
  const after = await scene.use()
  const sum = (of: RegExp) =>
    Object.keys(after).reduce((total, key) => total + (of.test(key) ? after[key]! - (before[key] ?? 0) : 0), 0)
  return {
    rows: sum(/^(D1|Conversation\w*|Hub)\.rowsWritten$/) / messages,
    trips: sum(/^D1\.trips$/) / messages,
    calls: sum(/^(CONVERSATION|HUB)\.calls$/) / messages,
  }
}

/** The time from a request to the frame, of messages that are sent one at a time. */
async function single(scene: Scene, conversationId: string, ears: readonly Ear[]) {
  const [times, before] = [[] as number[], await scene.use()]
  for (let n = 0; n < SINGLES; n++) {
    const began = performance.now()
    const { seq } = await post<{ seq: number }>(
      scene,
      0,
      `/conversations/${conversationId}/messages`,
      JSON.parse(bodyOf()),
    )
    await Promise.all(ears.map((ear) => ear.until(seq)))
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  const at = (part: number) => Number(times[Math.floor(times.length * part)]!.toFixed(1))
  return { p50: at(0.5), p95: at(0.95), ...(await per(scene, before, SINGLES)) }
}

async function measure(scene: Scene): Promise<Figure[]> {
  const pair = await post<{ id: string }>(scene, 1, '/conversations', { accountId: scene.ids[0] })
  await post(scene, 1, `/conversations/${pair.id}/messages`, JSON.parse(bodyOf()))
  await post(scene, 0, `/conversations/${pair.id}/messages`, JSON.parse(bodyOf()))
  const group = await post<{ id: string }>(scene, 0, '/groups', { name: 'island', members: scene.ids.slice(1) })
  const listener = await Ear.open(scene, 1, pair.id)
  const ears = await Promise.all(scene.ids.map((_, i) => Ear.open(scene, i, group.id)))
  const one = await single(scene, pair.id, [listener])
  const each = await single(scene, group.id, ears)
  const fast = await flood(scene, pair.id, [listener], WRITERS)
  const many = await flood(scene, group.id, ears, WRITERS)
  const atLeast = (value: number, goal: number) => ({ goal: `at least ${goal}`, isMet: value >= goal })
  const usage = ({ rows, trips, calls }: { rows: number; trips: number; calls: number }) =>
    `${rows.toFixed(1)} rows written, ${trips.toFixed(1)} D1 trips, ${calls.toFixed(1)} object calls`
  return [
    {
      what: 'acknowledged messages a second in one conversation',
      value: fast.acknowledged.toFixed(0),
      ...atLeast(fast.acknowledged, 500),
    },
    {
      what: `messages a second to ${members} online members, until all have heard`,
      value: many.heard.toFixed(0),
      ...atLeast(many.heard, 50),
    },
    {
      what: 'from a send to the socket of the other',
      value: `p50 ${one.p50}, p95 ${one.p95} ms`,
      ...atMost(one.p95, 40, ' ms (p95)'),
    },
    {
      what: `from a send to the last of ${members} sockets`,
      value: `p50 ${each.p50}, p95 ${each.p95} ms`,
      isMet: null,
    },
    { what: 'a message of two, alone', value: usage(one), isMet: null },
    { what: 'a message of two, under load', value: usage(fast), isMet: null },
    { what: `a message to ${members}, alone`, value: usage(each), isMet: null },
    { what: `a message to ${members}, under load`, value: usage(many), isMet: null },
  ]
}

const stateDir = makeStateDir('messages')
const { runtime, scene } = await setScene(stateDir)
try {
  const figures = await measure(scene)
  printFigures(figures)
  if (values.update) updateFigures('messages', figures)
} finally {
  await runtime.stop()
  rmSync(stateDir, { recursive: true })
}
process.exit()

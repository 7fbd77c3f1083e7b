import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildWorker, workerFolder } from '../../scripts/build-worker.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { addFollowers, makeCrowd } from '../bench/crowd.ts'
import { type Runtime, startWorkers } from '../bench/runtime.ts'
import { seed } from '../bench/seed.ts'
import { makeTokens, type Tokens } from '../bench/tokens.ts'
import { broadcaster, bundleBaselines, meteredProduct } from '../bench/workers.ts'
import type { Venue } from './audience.ts'

const FOLLOWED = 200
const PER_STATEMENT = 400

/** What the product has used since its start: see `test/bench/meter.ts`. */
export type Use = Record<string, number>

export type Stage = {
  product: Runtime
  raw: Runtime
  tokens: string[]
  /** Followed by everyone, and by the first of them only. */
  author: string
  friend: string
  use: () => Promise<Use>
  stop: () => Promise<void>
}

/** Starts the product and the bare broadcast in two processes, and seeds `people` who all follow one author. */
export async function setStage(stateDir: string, people: number): Promise<Stage> {
  const tokens = await makeTokens()
  await bundleBaselines()
  await buildWorker()
  const [ours, theirs] = ['product', 'raw'].map((name) => join(stateDir, name))
  for (const dir of [ours!, theirs!]) mkdirSync(dir)
  const product = await startWorkers([meteredProduct(workerFolder, tokens)], ours!)
  const raw = await startWorkers([broadcaster()], theirs!)
  const crowd = makeCrowd({ people: people + 2, followed: Math.min(FOLLOWED, people), posts: PER_STATEMENT })
  const [author, friend, ...followers] = crowd.accounts as [Id, Id, ...Id[]]
  crowd.follows = crowd.follows.filter(({ followerId, followeeId }) => followeeId !== friend || followerId === friend)
  addFollowers(crowd, author, followers)
  addFollowers(crowd, friend, followers.slice(0, 1))
  await seed((database) => product.open('product', database), crowd, tokens)
  const meter = `http://127.0.0.1:${await product.portOf('product')}/meter`
  return {
    product,
    raw,
    tokens: await tokensOf(followers, tokens),
    author: await tokens.tokenOf(author),
    friend: await tokens.tokenOf(friend),
    use: async () => (await fetchInTime(meter)).json() as Promise<Use>,
    stop: async () => void (await Promise.all([product.stop(), raw.stop()])),
  }
}

/** A few at a time, because signing thousands at once would exhaust the memory. */
async function tokensOf(ids: readonly Id[], { tokenOf }: Tokens): Promise<string[]> {
  const signed: string[] = []
  for (let at = 0; at < ids.length; at += PER_STATEMENT) {
    signed.push(...(await Promise.all(ids.slice(at, at + PER_STATEMENT).map(tokenOf))))
  }
  return signed
}

export async function productVenue({ product, tokens }: Stage): Promise<Venue> {
  return {
    pid: product.pid,
    port: await product.portOf('product'),
    addressOf: (client) => ({ path: '/v1/realtime', token: tokens[client % tokens.length]! }),
    postIn: (text) => /"postId":"(\d+)"/.exec(text)?.[1] ?? null,
  }
}

export async function rawVenue({ raw }: Stage, room: string): Promise<Venue> {
  return {
    pid: raw.pid,
    port: await raw.portOf('broadcast'),
    addressOf: () => ({ path: room, token: '' }),
    postIn: (text) => /"postId":"([\w-]+)"/.exec(text)?.[1] ?? null,
  }
}

/** Publishes a post by REST. Resolves with its id. */
export async function postAs({ port }: Venue, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ text: 'Low tide at noon: who walks to the island with me?' })
  const answer = await fetchInTime(`http://127.0.0.1:${port}/v1/posts`, { method: 'POST', headers, body })
  if (answer.status !== 201) throw new Error(`The post failed: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { id: string }).id
}

let posted = 0

/** Sends everyone in a room a frame like that of a post. */
export async function broadcastTo({ port }: Venue, room: string): Promise<string> {
  const postId = `raw-${++posted}`
  const data = { postId, authorId: '1970324836974593' }
  const body = JSON.stringify({ seq: Date.now() * 1_024, channel: 'home', event: 'post.published', data })
  await fetchInTime(`http://127.0.0.1:${port}${room}`, { method: 'POST', body })
  return postId
}

import { setTimeout as sleep } from 'node:timers/promises'
import { drive } from '../bench/load.ts'
import { median } from '../bench/report.ts'
import { cpuOf, cpuWhenIdle, memoryOf } from '../bench/runtime.ts'
import type { Audience } from './audience.ts'
import { broadcastTo, postAs, type Stage, type Use } from './stage.ts'

export type Pair = { product: Audience; raw: Audience }
/** Medians over the posts: times in ms, CPU time in µs for each frame. `rows` are those that hubs wrote for each frame. */
export type Frames = { p50: number; p95: number; max: number; cpu: number; rows: number }
export type Opening = { p50: number; p95: number; max: number; cpu: number; memory: number }

const OPENINGS_PER_SECOND = 200
const STORM_S = 2
const SILENCE_MS = 13_000

/** Requests of the accounts come first, so that neither the memory nor the time of a guard counts as that of a socket. */
export async function measureOpening({ product, tokens }: Stage, pair: Pair, count: number) {
  const { port } = pair.product.venue
  const traffic = { method: 'GET', paths: ['/v1/notifications/unread-count'], tokens }
  await drive(traffic, { port, connections: 8, from: 0, requests: count })
  await cpuWhenIdle(product.pid)
  const each = async (audience: Audience): Promise<Opening> => {
    const { pid } = audience.venue
    const [cpu, memory] = [cpuOf(pid), memoryOf(pid)]
    const times = await audience.open(count, OPENINGS_PER_SECOND)
    const used = (await cpuWhenIdle(pid)) - cpu
    return { ...times, cpu: (used / count) * 1e6, memory: (memoryOf(pid) - memory) / count }
  }
  return { raw: await each(pair.raw), product: await each(pair.product) }
}

/** Closes all sockets and opens them again within two seconds. What guards do is not counted, as for any request. */
export async function measureStorm({ use }: Stage, audience: Audience, count: number) {
  const { pid } = audience.venue
  await audience.close()
  await cpuWhenIdle(pid)
  const [before, cpu] = [await use(), cpuOf(pid)]
  const times = await audience.open(count, count / STORM_S)
  const used = (await cpuWhenIdle(pid)) - cpu
  const grown = growth(before, await use())
  const rowsWritten = grown('D1.rowsWritten') + grown('Hub.rowsWritten')
  const trips = grown('D1.trips.follows') + grown('D1.trips.hubs')
  return { ...times, cpu: (used / count) * 1e6, trips, rowsWritten }
}

type Plan = { room: string; posts: number; silence: boolean; token?: string }

/** Posts to each venue in turn, after a silence in which objects fall asleep, or after two posts that wake them. */
export async function measureFrames(stage: Stage, { product, raw }: Pair, { room, posts, silence, token }: Plan) {
  const ours = () => postAs(product.venue, token ?? stage.author)
  const theirs = () => broadcastTo(raw.venue, room)
  for (let i = 0; i < 2 && !silence; i++) await Promise.all([product.hear(ours), raw.hear(theirs)])
  const before = await stage.use()
  const measured = { product: [] as Omit<Frames, 'rows'>[], raw: [] as Omit<Frames, 'rows'>[] }
  for (let i = 0; i < posts; i++) {
    if (silence) await sleep(SILENCE_MS)
    measured.raw.push(await measureOne(raw, theirs))
    measured.product.push(await measureOne(product, ours))
  }
  const rows = growth(before, await stage.use())('Hub.rowsWritten') / (posts * product.size)
  return { product: middle(measured.product, rows), raw: middle(measured.raw, 0) }
}

async function measureOne(audience: Audience, publish: () => Promise<string>) {
  const { pid } = audience.venue
  const before = cpuOf(pid)
  const times = await audience.hear(publish)
  return { ...times, cpu: (((await cpuWhenIdle(pid)) - before) / audience.size) * 1e6 }
}

function middle(rounds: Omit<Frames, 'rows'>[], rows: number): Frames | null {
  if (rounds.length === 0) return null
  const of = (key: 'p50' | 'p95' | 'max' | 'cpu') => median(rounds.map((round) => round[key]))
  return { p50: of('p50'), p95: of('p95'), max: of('max'), cpu: of('cpu'), rows }
}

export const growth = (before: Use, after: Use) => (what: string) => (after[what] ?? 0) - (before[what] ?? 0)

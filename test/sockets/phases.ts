import { setTimeout as sleep } from 'node:timers/promises'
import { drive } from '../bench/load.ts'
import { median } from '../bench/report.ts'
import { cpuOf, cpuWhenIdle, memoryOf } from '../bench/runtime.ts'
import { type Audience, timesOf } from './audience.ts'
import { broadcastTo, postAs, type Stage, type Use } from './stage.ts'

export type Pair = { product: Audience; raw: Audience }
/** Medians over the posts: times in ms, CPU time in µs for each frame. `rows` are those that hubs wrote for each frame. */
export type Frames = { p50: number; p95: number; max: number; cpu: number; rows: number }
export type Opening = { p50: number; p95: number; max: number; cpu: number; memory: number }

const OPENINGS_PER_SECOND = 200
const STORM_S = 2
const SILENCE_MS = 13_000

type Opened = { count: number; silence: boolean }

/**
 * Requests of the accounts come before their sockets, so that the CPU time of their guards does not count. The memory of
 * a socket is what the second half of them adds: it does not fit where guards of the first half have been.
 */
export async function measureOpening({ tokens }: Stage, { product, raw }: Pair, { count, silence }: Opened) {
  const { port } = product.venue
  const traffic = { method: 'GET', paths: ['/v1/notifications/unread-count'], tokens }
  const request = (from: number, to: number) =>
    drive(traffic, { port, connections: 8, from, requests: to - from }).then(() => {})
  return {
    raw: await openInHalves(raw, { count, silence }, async () => {}),
    product: await openInHalves(product, { count, silence }, request),
  }
}

async function openInHalves(
  audience: Audience,
  { count, silence }: Opened,
  request: (from: number, to: number) => Promise<void>,
): Promise<Opening> {
  const { pid } = audience.venue
  const openUntil = async (to: number) => {
    await request(audience.size, to)
    const before = await cpuWhenIdle(pid)
    const times = await audience.open(to, OPENINGS_PER_SECOND)
    const cpu = (await cpuWhenIdle(pid)) - before
    if (silence) await sleep(SILENCE_MS)
    return { ...times, cpu, memory: memoryOf(pid) }
  }
  const half = Math.floor(count / 2)
  const [first, second] = [await openUntil(half), await openUntil(count)]
  const cpu = ((first.cpu + second.cpu) / count) * 1e6
  return { ...second, cpu, memory: (second.memory - first.memory) / (count - half) }
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
  return { product: middle(measured.product, product.size, rows), raw: middle(measured.raw, raw.size, 0) }
}

async function measureOne(audience: Audience, publish: () => Promise<string>) {
  const { pid } = audience.venue
  const before = cpuOf(pid)
  const times = await audience.hear(publish)
  return { ...times, cpu: (((await cpuWhenIdle(pid)) - before) / audience.size) * 1e6 }
}

/** A post to one client has only one time, so the percentiles are those of all posts. */
function middle(rounds: Omit<Frames, 'rows'>[], size: number, rows: number): Frames | null {
  if (rounds.length === 0) return null
  const of = (key: 'p50' | 'p95' | 'max' | 'cpu') => median(rounds.map((round) => round[key]))
  const times = size === 1 ? timesOf(rounds.map(({ max }) => max)) : { p50: of('p50'), p95: of('p95'), max: of('max') }
  return { ...times, cpu: of('cpu'), rows }
}

export const growth = (before: Use, after: Use) => (what: string) => (after[what] ?? 0) - (before[what] ?? 0)

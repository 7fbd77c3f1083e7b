import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../bench/report.ts'
import { cpuWhenIdle, memoryOf, openFileLimit, openFilesOf } from '../bench/runtime.ts'
import { Audience, type Venue } from './audience.ts'
import { postAs, type Stage } from './stage.ts'

export type Capacity = { sockets: number; files: number; memory: number; p95: number; max: number }

const POSTS = 3
const OPENINGS_PER_SECOND = 400
/** workerd ends when it cannot open another file. */
const RESERVE = 300
/** Each socket has two, and a guard that it wakes three. */
const FILES_WHILE_OPENING = 5
const SOCKETS_PER_ACCOUNT = 15
/** After this time without a request, guards and hubs sleep, and have no files. */
const ASLEEP_MS = 15_000

/** Opens as many sockets as the limit of open files allows, at most `wanted`, some for each account; then posts. */
export async function measureCapacity({ product, ...stage }: Stage, wanted: number, venue: Venue) {
  const { pid } = product
  await sleep(ASLEEP_MS)
  const limit = openFileLimit() - RESERVE
  const [memory, files] = [memoryOf(pid), openFilesOf(pid)]
  const accounts = stage.tokens.length
  const count = Math.min(wanted, Math.floor((limit - files) / 2), accounts * SOCKETS_PER_ACCOUNT)
  const addressOf = (client: number) => venue.addressOf(Math.floor(client / SOCKETS_PER_ACCOUNT))
  const audience = new Audience({ ...venue, addressOf })
  await audience.open(count, OPENINGS_PER_SECOND, async (arriving) => {
    while (openFilesOf(pid) + FILES_WHILE_OPENING * arriving > limit) await sleep(200)
  })
  await cpuWhenIdle(pid)
  const perSocket = (memoryOf(pid) - memory) / count
  const held = openFilesOf(pid)
  const rounds: Awaited<ReturnType<Audience['hear']>>[] = []
  for (let i = 0; i < POSTS; i++) {
    rounds.push(await audience.hear(() => postAs(venue, stage.author)))
    await cpuWhenIdle(pid)
  }
  const of = (key: 'p95' | 'max') => median(rounds.map((round) => round[key]))
  const capacity: Capacity = { sockets: audience.size, files: held, memory: perSocket, p95: of('p95'), max: of('max') }
  await audience.close()
  return { capacity, audience }
}

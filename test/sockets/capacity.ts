import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../bench/report.ts'
import { cpuWhenIdle, memoryOf, openFileLimit, openFilesOf } from '../bench/runtime.ts'
import type { Audience } from './audience.ts'
import { postAs, type Stage } from './stage.ts'

export type Capacity = { sockets: number; files: number; memory: number; p95: number; max: number }

const POSTS = 3
const OPENINGS_PER_SECOND = 400
/** workerd ends when it cannot open another file. */
const RESERVE = 150
const MAX_PER_ACCOUNT = 16

/** Opens as many sockets as the limit of open files allows, at most `wanted`, some for each account; then posts. */
export async function measureCapacity(stage: Stage, audience: Audience, wanted: number, say: (text: string) => void) {
  const { pid } = audience.venue
  const limit = openFileLimit()
  const [memory, files] = [memoryOf(pid), openFilesOf(pid)]
  const possible = Math.floor((limit - RESERVE - files) / 2)
  const count = Math.min(wanted, possible, stage.tokens.length * MAX_PER_ACCOUNT)
  say(`Opening ${count} sockets; the limit of open files is ${limit}`)
  const needed = 2 * count + files
  // Objects have files too, until they fall asleep.
  const pause = async () => {
    while (openFilesOf(pid) > Math.min(limit - RESERVE, needed + RESERVE)) await sleep(200)
  }
  await audience.open(count, OPENINGS_PER_SECOND, pause)
  await cpuWhenIdle(pid)
  const perSocket = (memoryOf(pid) - memory) / count
  const held = openFilesOf(pid)
  const rounds: Awaited<ReturnType<Audience['hear']>>[] = []
  for (let i = 0; i < POSTS; i++) {
    rounds.push(await audience.hear(() => postAs(audience.venue, stage.author)))
    await cpuWhenIdle(pid)
  }
  const of = (key: 'p95' | 'max') => median(rounds.map((round) => round[key]))
  const capacity: Capacity = { sockets: audience.size, files: held, memory: perSocket, p95: of('p95'), max: of('max') }
  await audience.close()
  return capacity
}

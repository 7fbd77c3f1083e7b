import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import type { Store } from './seed.ts'

/** workerd with nothing in front of its Workers. */
export type Runtime = {
  pid: number
  portOf: (worker: string) => Promise<number>
  open: (worker: string, database: string) => Promise<Store>
  stop: () => Promise<void>
}

/** Starts Workers with every binding simulated, each listening on a port of its own. */
export async function startWorkers(workers: V4WorkerOptions[], stateDir: string): Promise<Runtime> {
  const before = workerdChildren()
  const options = { cf: false as const, log: new Log(LogLevel.ERROR), handleStructuredLogs: () => {}, workers }
  const miniflare = new Miniflare({ ...convertV4MiniflareOptions(options), resourcePersistencePath: stateDir })
  await miniflare.ready
  return {
    pid: workerdChildren().find((child) => !before.includes(child))!,
    portOf: async (worker) => Number((await miniflare.unsafeGetDirectURL(worker)).port),
    open: async (worker, name) => {
      const database = await miniflare.getD1Database(name, worker)
      return (sql, ...values) =>
        database
          .prepare(sql)
          .bind(...values)
          .run()
    },
    stop: () => miniflare.dispose(),
  }
}

function workerdChildren(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => {
    const stat = statOf(pid)
    return stat?.name.startsWith('workerd') && stat.parent === process.pid
  })
}

const CLOCK_TICK_S = 0.01

/** CPU time, in seconds, that a process has used. */
export function cpuOf(pid: number): number {
  return statOf(pid)!.cpu
}

/** Waits until the process has nothing left to do, such as events on their way, and answers the CPU time it has used. */
export async function cpuWhenIdle(pid: number): Promise<number> {
  for (let last = cpuOf(pid), quiet = 0; ; ) {
    await sleep(200)
    const now = cpuOf(pid)
    quiet = now - last <= CLOCK_TICK_S ? quiet + 1 : 0
    last = now
    if (quiet === 3) return now
  }
}

function statOf(pid: number): { name: string; parent: number; cpu: number } | null {
  try {
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!
    const fields = rest!.split(' ').map(Number)
    return { name: name!, parent: fields[1]!, cpu: (fields[11]! + fields[12]!) * CLOCK_TICK_S }
  } catch {
    return null // it ended meanwhile
  }
}

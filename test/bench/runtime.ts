import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import type { Store } from './seed.ts'

/** A workerd process whose Workers are reached directly, without a proxy in front of them. */
export type Runtime = {
  pid: number
  portOf: (worker: string) => Promise<number>
  open: (worker: string, database: string) => Promise<Store>
  /** How many rows a table holds. */
  count: (worker: string, database: string, table: string) => Promise<number>
  /** The first column of a query's rows, as text. */
  column: (worker: string, database: string, query: string) => Promise<string[]>
  stop: () => Promise<void>
}

/** Starts Workers in one workerd process. Each listens on its own port, and all their bindings are simulated. */
export async function startWorkers(workers: V4WorkerOptions[], stateDir: string): Promise<Runtime> {
  const before = workerdChildren()
  const options = { cf: false as const, log: new Log(LogLevel.ERROR), handleStructuredLogs: () => {}, workers }
  const miniflare = new Miniflare({ ...convertV4MiniflareOptions(options), resourcePersistencePath: stateDir })
  await miniflare.ready
  const databaseOf = (worker: string, name: string) => miniflare.getD1Database(name, worker)
  return {
    pid: workerdChildren().find((child) => !before.includes(child))!,
    portOf: async (worker) => Number((await miniflare.unsafeGetDirectURL(worker)).port),
    open: async (worker, name) => {
      const database = await databaseOf(worker, name)
      return (sql, ...values) =>
        database
          .prepare(sql)
          .bind(...values)
          .run()
    },
    count: async (worker, name, table) => {
      const row = await (await databaseOf(worker, name))
        .prepare(`SELECT count(*) n FROM ${table}`)
        .first<{ n: number }>()
      return row!.n
    },
    column: async (worker, name, query) => {
      const [, ...rows] = await (await databaseOf(worker, name)).prepare(query).raw({ columnNames: true })
      return rows.map(([value]) => String(value))
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

/** The CPU time of a process in seconds. It sums up the threads, because Linux reports nanoseconds only for threads. */
export function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const times = threads.map((id) => Number(read(`/proc/${pid}/task/${id}/schedstat`)?.split(' ')[0] ?? 0))
  const sum = times.reduce((total, time) => total + time, 0)
  if (sum === 0) throw new Error('This machine does not count the CPU time of threads')
  return sum / 1e9
}

/** The memory of a process that is in RAM, in KiB. */
export const memoryOf = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? '')![1])

/** How many files a process of this machine may open. workerd ends if it needs more. */
export const openFileLimit = () => Number(spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout)
export const openFilesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

const IDLE_S = 0.01

/** Waits until the process is idle, so that no queued event is left. Resolves with its CPU time in seconds. */
export async function cpuWhenIdle(pid: number): Promise<number> {
  for (let last = cpuOf(pid), quiet = 0; ; ) {
    await sleep(200)
    const now = cpuOf(pid)
    quiet = now - last <= IDLE_S ? quiet + 1 : 0
    last = now
    if (quiet === 3) return now
  }
}

function statOf(pid: number): { name: string; parent: number } | null {
  const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(read(`/proc/${pid}/stat`) ?? '') ?? []
  return name && rest ? { name, parent: Number(rest.split(' ')[1]) } : null
}

/** The content of a file in /proc, or null if its process or thread has ended. */
function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'

/** How long wrangler may take to print. */
const QUERY_TIMEOUT_MS = 2_000

export type Wrangler = { pid: number; call: string[] }

/**
 * The wrangler that runs `command`, and how it was called, from the processes above this one: its build step is told the
 * command, but none of its options. Undefined where processes cannot be seen.
 */
export function findWrangler(command: string, pid = process.ppid): Wrangler | undefined {
  const [word] = command.split(' ') as [string]
  for (let id = pid; id > 1; ) {
    const { parent, call } = processOf(id)
    if (call.includes(word)) return { pid: id, call }
    id = parent
  }
  return undefined
}

function processOf(pid: number): { parent: number; call: string[] } {
  if (existsSync('/proc/self/cmdline')) {
    const parent = /^\d+ \(.*\) \S+ (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
    return { parent: Number(parent), call: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') }
  }
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' })
  const [parent, ...call] = (stdout ?? '').trim().split(/\s+/)
  return { parent: Number(parent), call }
}

/** Whether wrangler serves already: then more runs below it than its build step. */
export function isServing({ pid }: Wrangler): boolean {
  const children = `/proc/${pid}/task/${pid}/children`
  if (existsSync(children)) return readFileSync(children, 'utf8').trim().split(' ').length > 1
  const { stdout } = spawnSync('ps', ['-A', '-o', 'ppid='], { encoding: 'utf8' })
  return (stdout ?? '').split('\n').filter((parent) => Number(parent) === pid).length > 1
}

/** Ends wrangler with its build step's `message` as the last that it prints: of a step that fails it would print all it knows. */
export async function endWrangler({ pid }: Wrangler, message: string): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, QUERY_TIMEOUT_MS).unref()
    // wrangler closes the other side when it has read, and so printed, what came.
    new Socket({ fd: 2, readable: true, writable: true })
      .on('error', () => {})
      .once('close', () => resolve())
      .end(message)
      .resume()
  })
  process.kill(pid, 'SIGTERM')
}

export const isDryRun = (call: string[]): boolean => call.some((word) => /^--dry-?run(=true)?$/i.test(word))

export const setsVariables = (call: string[]): boolean => call.some((word) => /^--var(=|$)/.test(word))

/** The folder that `--persist-to` names. */
export function persistsTo(call: string[]): string | undefined {
  for (const [at, word] of call.entries()) {
    const [option, folder] = /^--persist-?to(?:=(.+))?$/i.exec(word) ?? []
    if (option) return folder ?? call[at + 1]
  }
  return undefined
}

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/**
 * How wrangler was called, from the processes above this one: its build step is told the command, but neither whether it is a
 * dry run nor what `--var` sets.
 */
export function callOfWrangler(command: string, pid = process.ppid): string[] {
  const [word] = command.split(' ') as [string]
  for (let id = pid; id > 1; ) {
    const { parent, call } = processOf(id)
    if (call.includes(word)) return call
    id = parent
  }
  throw new Error('Whether this is a dry run cannot be seen: deploy with npx wrangler deploy, on Linux or macOS.')
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

export const isDryRun = (call: string[]): boolean => call.some((word) => /^--dry-?run(=true)?$/i.test(word))

export const setsVariables = (call: string[]): boolean => call.some((word) => /^--var(=|$)/.test(word))

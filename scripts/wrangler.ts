import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** How wrangler was called. Its build step is told the command, but neither whether it is a dry run nor what `--var` sets. */
export function callOfWrangler(command: string, pid = process.ppid): string[] {
  const call = commandLine(pid)
  if (!call.includes(command.split(' ')[0]!)) {
    throw new Error('Whether this is a dry run cannot be seen: deploy with npx wrangler deploy, on Linux or macOS.')
  }
  return call
}

function commandLine(pid: number): string[] {
  if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .split(' ')
}

export const isDryRun = (call: string[]): boolean => call.some((word) => /^--dry-?run(=true)?$/i.test(word))

export const setsVariables = (call: string[]): boolean => call.some((word) => /^--var(=|$)/.test(word))

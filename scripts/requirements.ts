import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The tools that `npm install` brings, each tried as it will be run: its package looks for the binary of this platform. */
const tools: Record<string, () => unknown> = {
  wrangler: () => createRequire(import.meta.url).resolve('wrangler'),
  workerd: () => run(createRequire(import.meta.url)('workerd').default),
  esbuild: () => createRequire(import.meta.url)('esbuild').transformSync(''),
}

function run(binary: string): void {
  const { status, error } = spawnSync(binary, ['--version'], { stdio: 'ignore' })
  if (status !== 0) throw error ?? new Error(`it ended with ${status}`)
}

export function requireTools(): void {
  for (const [name, attempt] of Object.entries(tools)) {
    try {
      attempt()
    } catch {
      throw new Error(`${name} is missing or does not run here: run npm install, with install scripts on.`)
    }
  }
}

/** Makes sure that files can be made in `folder`. */
export function requireWritable(folder: string): void {
  const probe = join(folder, `.probe-${process.pid}`)
  try {
    makeFolder(folder)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw new Error(`The folder ${folder} cannot be written: ${(error as Error).message}`)
  }
}

/** Node's own way, `recursive`, never ends below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
}

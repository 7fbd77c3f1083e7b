import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Throws if esbuild or workerd does not run, as after an install without install scripts or on another platform. */
export function requireTools(): void {
  for (const name of ['esbuild', 'workerd']) {
    const { status } = spawnSync(`node_modules/.bin/${name}`, ['--version'], { stdio: 'ignore' })
    if (status !== 0)
      throw new Error(`${name} is missing or does not run: run npm install, with install scripts enabled.`)
  }
}

/** Creates `folder` if it is missing. Throws if no file can be written to it. */
export function requireWritable(folder: string): void {
  const probe = join(folder, `.probe-${process.pid}`)
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw new Error(`The folder ${folder} cannot be written: ${(error as Error).message}`)
  }
}

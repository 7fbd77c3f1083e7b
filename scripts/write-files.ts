import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { OutputFile } from 'esbuild'

export type Output = { name: string; contents: Uint8Array | string }

/** The files that esbuild built for `folder`. */
export function outputsOf(files: OutputFile[], folder: string): Output[] {
  return files.map(({ path, contents }) => ({ name: relative(folder, path), contents }))
}

/**
 * Makes `outputs` the only files in `folder`. A server may watch the folder, so unchanged files are not touched, and
 * changed ones are replaced atomically. `NAME.DIGITS` stays: it may be the temporary file of a simultaneous build.
 */
export function replaceFiles(folder: string, outputs: Output[]): void {
  for (const { name, contents } of outputs) {
    const path = join(folder, name)
    if (existsSync(path) && readFileSync(path).equals(Buffer.from(contents))) continue
    const draft = `${path}.${process.pid}`
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(draft, contents)
    renameSync(draft, path)
  }
  const names = new Set(outputs.map(({ name }) => name))
  const present = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of present) {
    const path = join(parentPath, name)
    if (!names.has(relative(folder, path)) && !/\.\d+$/.test(name)) rmSync(path, { force: true })
  }
}

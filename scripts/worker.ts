import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { unstable_readConfig } from 'wrangler'

/** Where the Worker stands that is deployed. */
export const workerFolder = 'dist/worker'

/**
 * Builds the Worker as it is deployed. wrangler's own bundle, which development runs, is one module; here, what is loaded by
 * `import()` on first use is a module of its own, so that an isolate which never needs it does not compile it.
 */
export async function buildWorker(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: ['src/worker.ts'],
    outdir: workerFolder,
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2024',
    minify: true,
    sourcemap: true,
    conditions: ['workerd', 'worker', 'browser'],
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: unstable_readConfig({ config: 'wrangler.toml' }).alias,
    external: ['cloudflare:*', 'node:*'],
    loader: { '.wasm': 'copy' },
    write: false,
    logLevel: 'silent',
  })
  replaceFiles(outputFiles.map(({ path, contents }) => ({ name: basename(path), contents })))
}

/** Leaves `files` alone in the folder, each whole at any moment: another build may be read meanwhile. */
function replaceFiles(files: { name: string; contents: Uint8Array }[]): void {
  mkdirSync(workerFolder, { recursive: true })
  for (const { name, contents } of files) {
    const draft = join(workerFolder, `.${name}.${process.pid}`)
    writeFileSync(draft, contents)
    renameSync(draft, join(workerFolder, name))
  }
  const names = new Set(files.map(({ name }) => name))
  const stale = readdirSync(workerFolder).filter((name) => !name.startsWith('.') && !names.has(name))
  for (const name of stale) rmSync(join(workerFolder, name), { force: true })
}

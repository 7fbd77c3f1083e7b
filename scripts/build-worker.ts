import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { outputsOf, replaceFiles } from './write-files.ts'

/** Where the Worker is built for deployment. */
export const workerFolder = 'dist/worker'

/**
 * Builds the Worker for deployment. Unlike wrangler's bundle for development, which is one module, this bundle has
 * separate modules for code that `import()` loads on first use. Isolates that never need such code do not compile it.
 */
export async function buildWorker(): Promise<void> {
  const { unstable_readConfig } = await import('wrangler')
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
  replaceFiles(workerFolder, outputsOf(outputFiles, workerFolder))
}

/** The limit of the whole Worker, compressed. */
export const LIMIT_KIB = 820

export type Module = { name: string; raw: number; gzip: number }

/** The sizes of the modules of the built Worker in KiB, and last that of the whole Worker. */
export function workerSizes(): Module[] {
  const names = readdirSync(workerFolder).filter((name) => ['.js', '.wasm'].includes(extname(name)))
  const parts = names.map((name) => {
    const bytes = readFileSync(join(workerFolder, name))
    return { name, raw: bytes.length / 1024, gzip: gzipSync(bytes).length / 1024 }
  })
  const sum = (key: 'raw' | 'gzip') => parts.reduce((total, part) => total + part[key], 0)
  return [...parts, { name: 'whole Worker', raw: sum('raw'), gzip: sum('gzip') }]
}

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

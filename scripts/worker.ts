import { build } from 'esbuild'
import { unstable_readConfig } from 'wrangler'
import { outputsOf, replaceFiles } from './output.ts'

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
  replaceFiles(workerFolder, outputsOf(outputFiles, workerFolder))
}

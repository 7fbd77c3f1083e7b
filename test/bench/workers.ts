import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { V4WorkerOptions } from 'miniflare'
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler'
import type { Tokens } from './tokens.ts'

const sources = 'test/bench/workers'
const bundles = 'dist/bench'

export type Module = { name: string; path: string }

const settings = unstable_readConfig({ config: 'wrangler.toml' })
/** What decides how the runtime behaves, for all Workers that are compared. */
export const runtime = {
  compatibilityDate: settings.compatibility_date!,
  compatibilityFlags: settings.compatibility_flags,
}

/** The product as `npm run build` writes it to `folder`, with simulated bindings like those of production. */
export function product(folder: string, tokens: Tokens): V4WorkerOptions {
  const modules = productModules(folder).map(({ path }) => ({ type: typeOf(path), path }))
  return { ...withBindings(tokens), name: 'product', modules, modulesRoot: resolve(folder) }
}

/** The product, with a counter around it: see `meter.ts`. `set` are variables that differ from those of the benchmark. */
export function meteredProduct(folder: string, tokens: Tokens, set: Record<string, string> = {}): V4WorkerOptions {
  const modules = [baselineModule('metered'), ...productModules(folder)]
  const bindings = { ...variables(tokens), ...set }
  const asModules = modules.map(({ path }) => ({ type: typeOf(path), path }))
  return { ...withBindings(tokens), bindings, name: 'product', modules: asModules, modulesRoot: resolve('dist') }
}

/** A Worker of `test/bench/workers` whose only binding is one object per path. */
export function broadcaster(): V4WorkerOptions {
  const durableObjects = { ROOM: { className: 'Room', useSQLite: true } }
  const scriptPath = baselineModule('broadcast').path
  return { name: 'broadcast', modules: true, scriptPath, ...runtime, durableObjects, ...listening }
}

/** A Worker of `test/bench/workers` with the product's bindings, except that it consumes no queue. */
export function besideProduct(name: string, tokens: Tokens): V4WorkerOptions {
  return { ...withBindings(tokens), queueConsumers: {}, name, modules: true, scriptPath: baselineModule(name).path }
}

/** A Worker of `test/bench/workers` that calls the product, over REST and by RPC. */
export function caller(): V4WorkerOptions {
  const props = { caller: 'bench', actsAs: 'users', scopes: ['posts:read'] }
  const serviceBindings = { SOCIAL: 'product', POSTS: { name: 'product', entrypoint: 'PostService', props } }
  const scriptPath = baselineModule('caller').path
  return { name: 'caller', modules: true, scriptPath, ...runtime, serviceBindings, ...listening }
}

/** A Worker of `test/bench/workers` with one small database. */
export function baseline(name: string, tokens: Tokens): V4WorkerOptions {
  const bindings = variables(tokens)
  const d1Databases = { DB: 'baseline', SHARD_0: 'baseline', SHARD_1: 'baseline' } // each of OPEN_SHARDS must be bound
  const scriptPath = baselineModule(name).path
  return { name, modules: true, scriptPath, ...runtime, bindings, d1Databases, ...listening }
}

/** The modules of the product, with the entry point first. */
export function productModules(folder: string): Module[] {
  const names = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name))
  const entryFirst = names.toSorted((a, b) => Number(b === 'worker.js') - Number(a === 'worker.js'))
  return entryFirst.map((name) => ({ name, path: resolve(folder, name) }))
}

export function baselineModule(name: string): Module {
  return { name: `${name}.js`, path: resolve(bundles, `${name}.js`) }
}

/** The rate limit and the quota are out of reach, because few accounts send all requests of the benchmark. */
export function variables({ baseUrl, jwks }: Tokens) {
  return {
    ENVIRONMENT: 'production',
    OPEN_SHARDS: '0,1',
    BASE_URL: baseUrl,
    AUTH_SECRET: 's'.repeat(32),
    DATA_KEYS: `k1:${'A'.repeat(43)}=`,
    INDEX_KEY: `${'A'.repeat(43)}=`,
    REQUESTS_PER_MINUTE: '1000000',
    POSTS_PER_DAY: '1000000000',
    PUBLIC_KEYS: { keys: jwks.keys.map((key) => ({ ...key })) },
  }
}

export const listening = { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] }
const typeOf = (path: string) => (path.endsWith('.wasm') ? ('CompiledWasm' as const) : ('ESModule' as const))

function withBindings(tokens: Tokens) {
  const { workerOptions } = unstable_getMiniflareWorkerOptions('wrangler.toml', 'production')
  const { assets: _assets, modulesRules: _rules, ...options } = workerOptions
  return { ...options, bindings: variables(tokens), ...listening }
}

/** Leaves the product out of the Worker that counts it, which runs the product as it is built for deployment. */
const builtProduct: Plugin = {
  name: 'built-product',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/src\/worker\.ts$/ }, () => ({ path: '../worker/worker.js', external: true })),
}

/** Bundles the Workers of `test/bench/workers` as wrangler would. */
export async function bundleBaselines(): Promise<void> {
  await build({
    entryPoints: readdirSync(sources).map((name) => join(sources, name)),
    outdir: bundles,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    plugins: [builtProduct],
    logLevel: 'error',
  })
}

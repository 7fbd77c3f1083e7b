import { builtinModules } from 'node:module'
import { availableParallelism } from 'node:os'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers'
import { defineConfig } from 'vitest/config'
import pkg from '../package.json' with { type: 'json' }
import { deadLetterSettings, queues } from '../src/platform/events/queues.ts'
import { LongestFirst } from './longest-first.ts'

const root = new URL('..', import.meta.url).pathname
const unbundled = [
  '@phi-ag/argon2',
  'hono',
  'better-auth',
  '@better-auth/core',
  '@better-auth/utils',
  '@hono/zod-openapi',
  '@hono/zod-validator',
]
const bundled = [
  ...Object.keys(pkg.dependencies).filter((name) => !unbundled.includes(name)),
  ...['errors', 'jwks/local', 'jwt/decode', 'jwt/sign', 'jwt/verify', 'key/import'].map((part) => `jose/${part}`),
  'better-auth/minimal',
  'better-auth/adapters/drizzle',
  'better-auth/api',
  'better-auth/plugins',
  'drizzle-orm/d1',
  'drizzle-orm/sqlite-core',
]

// Secrets for tests only. Password hashing is cheap, because the tests register many users.
const secrets = {
  BASE_URL: 'http://127.0.0.1:8787',
  AUTH_SECRET: 'a-secret-of-the-tests-that-is-long-enough',
  DATA_KEYS: `k1:${btoa('k'.repeat(32))}`,
  INDEX_KEY: btoa('i'.repeat(32)),
  PASSWORD_HASH_MEMORY_KIB: '64',
  // The key of the example in RFC 8291.
  VAPID_KEY:
    '_jP0qw3qcZFNtVgj9ztUlI9BMG2SBzLbuaWaUyhkgiA.Dll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8.yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw',
}

const migrationsOf = (database: string) => readD1Migrations(`${root}migrations/${database}`)
const MIGRATIONS = {
  directory: await migrationsOf('directory'),
  shard: await migrationsOf('shard'),
  index: await migrationsOf('index'),
  audit: await migrationsOf('audit'),
  analytics: await migrationsOf('analytics'),
}

/** As in wrangler.toml, without its concurrency. Batches wait a twentieth of their time, because tests wait for them. */
const queueConsumers = Object.fromEntries(
  Object.values(queues).flatMap(({ name, ...settings }) => {
    const queue = `socialconnect-${name}`
    const deadLetterQueue = `${queue}-dead`
    return [
      [queue, { ...consumerOf(settings), deadLetterQueue }],
      [deadLetterQueue, { ...consumerOf(deadLetterSettings), retryDelay: deadLetterSettings.retryDelay }],
    ]
  }),
)
function consumerOf({
  batchSize,
  batchTimeout,
  retries,
}: {
  batchSize: number
  batchTimeout: number
  retries: number
}) {
  return { maxBatchSize: batchSize, maxBatchTimeout: batchTimeout / 20, maxRetries: retries }
}

const workers = {
  plugins: [
    cloudflareTest({
      wrangler: { configPath: `${root}wrangler.toml` },
      miniflare: {
        bindings: {
          ...secrets,
          LOG_FORMAT: 'json',
          SHARED_CACHE: 'off', // tests read what they have just written
          MIGRATIONS,
        },
        queueConsumers,
      },
    }),
  ],
  test: {
    name: 'workers',
    env: {
      VISIBILITY_RUNS: process.env.VISIBILITY_RUNS ?? '',
      GROUP_MODEL_RUNS: process.env.GROUP_MODEL_RUNS ?? '',
    },
    include: ['test/**/*.test.ts'],
    exclude: ['test/node/**', 'test/e2e/**'],
    setupFiles: ['./test/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    deps: {
      optimizer: {
        ssr: {
          enabled: true,
          include: bundled,
          rolldownOptions: { external: [/^(cloudflare|node):/, ...builtinModules] },
        },
      },
    },
  },
}

const node = {
  test: {
    name: 'node',
    include: ['test/node/**/*.test.ts', 'test/e2e/**/*.test.ts'],
    testTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } }, // the default, one second, is too short on a busy machine
    hookTimeout: 120_000,
  },
}

export default defineConfig({
  root,
  test: {
    silent: 'passed-only',
    reporters: ['default', ...(process.env.GITHUB_ACTIONS ? ['github-actions'] : []), `${root}test/slowest-tests.ts`],
    maxWorkers: Math.max(2, availableParallelism()),
    globalSetup: './test/global-setup.ts',
    sequence: { sequencer: LongestFirst },
    projects: [
      { root, ...workers },
      { root, ...node },
    ] as never,
  },
})

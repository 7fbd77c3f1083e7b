import { z } from '@hono/zod-openapi'
import type { Sweeper } from './events/sweeper.object.ts'
import type { UserHub } from './realtime/user-hub.object.ts'
import type { AccessGuard } from './security/access-guard.object.ts'

/** What wrangler.toml binds. `SHARD_n` bindings come in any number: `shardBindings` finds them. */
export type Bindings = {
  DIRECTORY: D1Database
  SHARD_0: D1Database
  SHARD_1: D1Database
  INDEX: D1Database
  CACHE: KVNamespace
  MEDIA: R2Bucket
  IMAGES: ImagesBinding
  MAIL: SendEmail
  ASSETS: Fetcher
  ACTIVITY: AnalyticsEngineDataset
  VERSION: WorkerVersionMetadata
  EVENTS: Queue
  FANOUT: Queue
  DELIVERIES: Queue
  HUB: DurableObjectNamespace<UserHub>
  LIMITER: DurableObjectNamespace<AccessGuard>
  SWEEPER: DurableObjectNamespace<Sweeper>
}
export type Env = Bindings & Record<(typeof variableNames)[number], string | undefined>

const variableNames = [
  'ENVIRONMENT',
  'BASE_URL',
  'OPEN_SHARDS',
  'POST_MAX_LENGTH',
  'REQUESTS_PER_MINUTE',
  'ONLINE_PUSH_LIMIT',
  'REALTIME_ORIGINS',
  'PASSWORD_HASH_MEMORY_KIB',
  'OUTBOUND_LOCAL_HOSTS',
  'AUTH_SECRET',
  'DATA_KEYS',
  'INDEX_KEY',
] as const

/** What a password's hash costs where nothing else is set, and at least outside development: OWASP's least for Argon2id. */
const PASSWORD_HASH_MEMORY_KIB = 19_456

const secret = (what: string) =>
  z
    .string({ error: `is missing: ${what}. Set it with: npx wrangler secret put NAME --env staging|production` })
    .min(32, `is too short: ${what}`)

// `abort`, because the rules further down need what these transform to.
const Variables = z
  .object({
    ENVIRONMENT: z.enum(['development', 'staging', 'production']),
    BASE_URL: z.url({ abort: true }).transform((url) => new URL(url).origin),
    OPEN_SHARDS: z
      .string()
      .regex(/^\d+(,\d+)*$/, { error: 'must list the shards open to new accounts, like 0,1', abort: true })
      .transform((list) => list.split(',').map(Number)),
    POST_MAX_LENGTH: z.coerce.number().int().min(1).max(10_000).default(500),
    REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).default(100),
    ONLINE_PUSH_LIMIT: z.coerce.number().int().min(0).default(5_000),
    REALTIME_ORIGINS: z
      .string()
      .regex(/^([\w.+-]+:\/\/[\w.:-]+(,|$))*$/, 'must list origins, like https://app.example.org,capacitor://localhost')
      .default('')
      .transform((list) => list.split(',').filter(Boolean)),
    PASSWORD_HASH_MEMORY_KIB: z.coerce.number().int().min(8).default(PASSWORD_HASH_MEMORY_KIB),
    OUTBOUND_LOCAL_HOSTS: z
      .string()
      .regex(
        /^(127\.0\.0\.1:\d+(,|$))*$/,
        'must list what outbound calls may reach on this machine, like 127.0.0.1:9000',
      )
      .default('')
      .transform((list) => list.split(',').filter(Boolean)),
    AUTH_SECRET: secret('a random text that signs sessions'),
    // The id of a key is part of every cursor, whose length is bounded.
    DATA_KEYS: secret('the keyring that seals personal data, as id:base64 of 32 bytes, the current key first').regex(
      /^\s*\w{1,16}:[^,:]+(,\s*\w{1,16}:[^,:]+)*$/,
      'must list keys as id:key, each id of at most 16 letters, digits and _',
    ),
    INDEX_KEY: secret('32 random bytes in base64, for looking up sealed data'),
  })
  .refine((set) => set.ENVIRONMENT === 'development' || set.OUTBOUND_LOCAL_HOSTS.length === 0, {
    path: ['OUTBOUND_LOCAL_HOSTS'],
    error: 'is for development alone',
  })
  .refine((set) => set.ENVIRONMENT === 'development' || set.PASSWORD_HASH_MEMORY_KIB >= PASSWORD_HASH_MEMORY_KIB, {
    path: ['PASSWORD_HASH_MEMORY_KIB'],
    error: `must be ${PASSWORD_HASH_MEMORY_KIB} or more outside development`,
  })
  .refine(({ ENVIRONMENT, BASE_URL }) => ENVIRONMENT === 'development' || isPublic(BASE_URL), {
    path: ['BASE_URL'],
    error: 'must be the https address that people use',
  })

/** Whether the network can be reached there, and can send mail: https, and a name with a dot that can be one's own. */
function isPublic(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  const isForeign = /^[\d.]+$|(^|\.)(example(\.com|\.net|\.org)?|invalid|local|localhost|test|workers\.dev)$/
  return protocol === 'https:' && hostname.includes('.') && !isForeign.test(hostname)
}

export type Config = z.infer<typeof Variables>

/** Reads the variables and secrets of an env, or of what will be one: a deployment is checked by the same rules. */
export function readConfig(env: Record<string, unknown>): { config?: Config; problems: string[] } {
  const areBound = ({ OPEN_SHARDS }: Config) => OPEN_SHARDS.every((n) => `SHARD_${n}` in env)
  const unbound = { path: ['OPEN_SHARDS'], error: 'names a shard that has no binding' }
  const { data, error } = Variables.refine(areBound, unbound).safeParse(env)
  return { config: data, problems: error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) ?? [] }
}

const parsed = new WeakMap<Env, Config>()

/** The variables and secrets, checked once per isolate. Throws one message that tells the operator what to set. */
export function configOf(env: Env): Config {
  const known = parsed.get(env)
  if (known) return known
  const { config, problems } = readConfig(env)
  if (!config) throw new Error(`The Worker is not configured:\n  ${problems.join('\n  ')}`)
  parsed.set(env, config)
  return config
}

const bound = new WeakMap<Env, Map<number, D1Database>>()

/** The shard databases by number, in order, from the bindings named `SHARD_n`; looked up once per isolate. */
export function shardBindings(env: Env): ReadonlyMap<number, D1Database> {
  const known = bound.get(env)
  if (known) return known
  const names = Object.keys(env).filter((name) => /^SHARD_\d+$/.test(name))
  const numbers = names.map((name) => Number(name.slice('SHARD_'.length))).sort((a, b) => a - b)
  const found = new Map(numbers.map((n) => [n, env[`SHARD_${n}` as 'SHARD_0']]))
  bound.set(env, found)
  return found
}

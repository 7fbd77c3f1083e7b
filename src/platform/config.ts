import { z } from '@hono/zod-openapi'
import { UNCOUNTED } from './observability/counting-env.ts'

/** OWASP's minimum memory for Argon2id. Less is allowed in development only. */
const PASSWORD_HASH_MEMORY_KIB = 19_456

const secret = (what: string) =>
  z
    .string({ error: `is missing: ${what}. Set it with: npx wrangler secret put NAME --env staging|production` })
    .min(32, `is too short (at least 32 characters): ${what}`)

/** A comma-separated list, empty by default. Each item must match the regular expression `item`. */
const listOf = (item: string, error: string) =>
  z
    .string()
    .regex(new RegExp(`^(${item}(,|$))*$`), error)
    .default('')
    .transform((list) => list.split(',').filter(Boolean))

// `abort: true` skips the `refine` rules below if the field is invalid, because they need its transformed value.
const Variables = z
  .object({
    ENVIRONMENT: z.enum(['development', 'staging', 'production']),
    BASE_URL: z.url({ abort: true }).transform((url) => new URL(url).origin),
    OPEN_SHARDS: z
      .string()
      .regex(/^\d+(,\d+)*$/, { error: 'must list the shards open to new accounts, like 0,1', abort: true })
      .transform((list) => list.split(',').map(Number)),
    LOG_FORMAT: z.enum(['json', 'text']).optional(),
    REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).default(100),
    MAX_REQUESTS_IN_FLIGHT: z.coerce.number().int().min(1).default(100),
    REALTIME_ORIGINS: listOf(
      '[\\w.+-]+:\\/\\/[\\w.:-]+',
      'must list origins, like https://app.example.org,capacitor://localhost',
    ),
    PASSWORD_HASH_MEMORY_KIB: z.coerce.number().int().min(8).default(PASSWORD_HASH_MEMORY_KIB),
    GRAPHQL_INTROSPECTION: z.enum(['on', 'off']).optional(),
    GRAPHQL_DOCUMENTS: z.enum(['any', 'trusted']).default('any'),
    SHARED_CACHE: z.enum(['on', 'off']).default('on'),
    HUBS_PER_SHARD: z.coerce.number().int().min(1).max(64).default(4),
    FRAME_HOURS: z.coerce.number().int().min(1).default(24),
    DEAD_LETTER_DAYS: z.coerce.number().int().min(1).default(30),
    OUTBOUND_LOCAL_HOSTS: listOf(
      '127\\.0\\.0\\.1:\\d+',
      'must list the local addresses that outbound calls may reach, like 127.0.0.1:9000',
    ),
    AUTH_SECRET: secret('a random text from which the keys that sign tokens and URLs are derived'),
    // Key ids are short, because each cursor contains one, and a cursor has at most 100 characters.
    DATA_KEYS: secret('the keys that encrypt personal data, as id:base64 of 32 bytes, the current key first').regex(
      /^\s*\w{1,16}:[^,:]+(,\s*\w{1,16}:[^,:]+)*$/,
      'must list keys as id:key, each id of at most 16 letters, digits and _',
    ),
    INDEX_KEY: secret('32 random bytes in base64, for looking up encrypted data'),
  })
  .refine((set) => set.ENVIRONMENT === 'development' || set.OUTBOUND_LOCAL_HOSTS.length === 0, {
    path: ['OUTBOUND_LOCAL_HOSTS'],
    error: 'is allowed in development only',
  })
  .refine((set) => set.ENVIRONMENT === 'development' || set.PASSWORD_HASH_MEMORY_KIB >= PASSWORD_HASH_MEMORY_KIB, {
    path: ['PASSWORD_HASH_MEMORY_KIB'],
    error: `must be ${PASSWORD_HASH_MEMORY_KIB} or more outside development`,
  })
  .refine(({ ENVIRONMENT, BASE_URL }) => ENVIRONMENT === 'development' || isPublic(BASE_URL), {
    path: ['BASE_URL'],
    error: 'must be a public https address on a domain of your own, not on workers.dev',
  })

/** Whether an address uses https and a domain that the operator can own: emails are sent from this domain. */
function isPublic(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  const isForeign = /^[\d.]+$|(^|\.)(example(\.com|\.net|\.org)?|invalid|local|localhost|test|workers\.dev)$/
  return protocol === 'https:' && hostname.includes('.') && !isForeign.test(hostname)
}

/** The variables and secrets of the platform, parsed. */
export type Config = z.infer<typeof Variables>

type ServiceVariable = { name: string; schema: z.ZodType }
const serviceVariables: ServiceVariable[] = []

/**
 * Declares an environment variable of a service and returns a function that reads it. `readConfig` checks all variables
 * together, so a wrong value is reported before the service needs it.
 * @example const postMaxLength = defineVariable('POST_MAX_LENGTH', z.coerce.number().int().min(1).default(500))
 */
export function defineVariable<T>(name: string, schema: z.ZodType<T>): (ctx: { env: Env }) => T {
  serviceVariables.push({ name, schema })
  let last: { text: unknown; value: T } | null = null
  return ({ env }) => {
    const text: unknown = Reflect.get(env, name)
    if (!last || last.text !== text) last = { text, value: parse({ name, schema }, text) }
    return last.value
  }
}

function parse<T>({ name, schema }: { name: string; schema: z.ZodType<T> }, text: unknown): T {
  const { success, data, error } = schema.safeParse(text)
  if (success) return data
  throw notConfigured(error.issues.map(({ message }) => `${name} ${message}`))
}

const notConfigured = (problems: string[]) => new Error(`The Worker is not configured:\n  ${problems.join('\n  ')}`)

/** Parses variables and secrets. The Worker passes its `env`; the check before a deployment passes the future one. */
export function readConfig(env: Record<string, unknown>): { config?: Config; problems: string[] } {
  const areBound = ({ OPEN_SHARDS }: Config) => OPEN_SHARDS.every((n) => `SHARD_${n}` in env)
  const unbound = { path: ['OPEN_SHARDS'], error: 'names a shard that has no binding' }
  const { data, error } = Variables.refine(areBound, unbound).safeParse(env)
  const own = error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) ?? []
  const declared = serviceVariables.flatMap(({ name, schema }) =>
    (schema.safeParse(env[name]).error?.issues ?? []).map((issue) => `${name} ${issue.message}`),
  )
  const problems = [...own, ...declared]
  return { config: problems.length === 0 ? data : undefined, problems }
}

/** With the number of variables of services that were checked: services that load later declare more of them. */
const parsed = new WeakMap<Env, { config: Config; checked: number }>()

/** The configuration, parsed once per isolate. Throws one error that tells the operator what to set. */
export function configOf(env: Env): Config {
  const known = parsed.get(env)
  if (known?.checked === serviceVariables.length) return known.config
  const { config, problems } = readConfig({ ...env })
  if (!config) throw notConfigured(problems)
  parsed.set(env, { config, checked: serviceVariables.length })
  return config
}

export function isConfigured(env: Env): boolean {
  return parsed.get(env)?.checked === serviceVariables.length || readConfig({ ...env }).config !== undefined
}

const bound = new WeakMap<Env, Map<number, D1Database>>()

/** The shard databases by number, in ascending order. The binding of shard 1 is `SHARD_1`. */
export function shardBindings(env: Env): ReadonlyMap<number, D1Database> {
  const owner: Env = Reflect.get(env, UNCOUNTED) ?? env // the same for all requests
  const known = bound.get(owner)
  if (known) return known
  const shards = Object.entries(owner).flatMap(([name, binding]): [number, D1Database][] => {
    const [, number] = /^SHARD_(\d+)$/.exec(name) ?? []
    return number === undefined ? [] : [[Number(number), binding]]
  })
  const found = new Map(shards.sort(([a], [b]) => a - b))
  bound.set(owner, found)
  return found
}

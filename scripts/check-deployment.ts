import { existsSync, globSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { readConfig } from '../src/platform/config.ts'
import { deadLetterSettings, queues } from '../src/platform/events/queues.ts'

// Importing these files declares the variables of the services.
for (const path of globSync('src/services/*/variables.ts')) await import(`../${path}`)

/** The highest REQUESTS_PER_MINUTE that may be deployed: ten times the default, but still a limit. */
const HIGHEST_QUOTA = 1_000

export type Target = 'staging' | 'production'

type Consumer = {
  queue: string
  max_batch_size?: number
  max_batch_timeout?: number
  max_retries?: number
  max_concurrency?: number
  retry_delay?: number
  dead_letter_queue?: string
}

/** The part of wrangler's resolved configuration that is checked. */
export type Settings = {
  vars: Record<string, unknown>
  d1_databases: { binding: string }[]
  queues: { producers?: { binding: string; queue: string }[]; consumers?: Consumer[] }
}

/**
 * The reasons not to deploy `settings` to `target`: variables that the Worker would reject at its start, a rate limit
 * that is too high, or wrong queues. Made-up secrets take part in the check, because Cloudflare never returns the real
 * ones.
 */
export function deployProblems(
  { vars, d1_databases: databases, queues: declared }: Settings,
  target: Target,
): string[] {
  if (vars.ENVIRONMENT !== target) return [`vars.ENVIRONMENT must be "${target}"`]
  const key = 'A'.repeat(44)
  const secrets = { BASE_URL: 'https://social.org', AUTH_SECRET: key, DATA_KEYS: `k1:${key}`, INDEX_KEY: key }
  const bindings = Object.fromEntries(databases.map(({ binding }) => [binding, true]))
  const { problems } = readConfig({ ...bindings, ...secrets, ...vars })
  // The Worker itself has no such rule, because the benchmark runs it with ENVIRONMENT=production and a higher limit.
  const isUnlimited = Number(vars.REQUESTS_PER_MINUTE ?? 0) > HIGHEST_QUOTA
  const quota = isUnlimited ? [`REQUESTS_PER_MINUTE must be at most ${HIGHEST_QUOTA}`] : []
  const hasSecret = vars.OIDC_PROVIDERS !== undefined
  const secret = hasSecret ? ['OIDC_PROVIDERS contains secrets: store it with `npx wrangler secret put`'] : []
  return [...[...problems, ...quota, ...secret].map((problem) => `vars.${problem}`), ...queueProblems(declared)]
}

/** How the producers and consumers differ from the table in src/platform/events/queues.ts. */
function queueProblems({ producers = [], consumers = [] }: Settings['queues']): string[] {
  return Object.entries(queues).flatMap(([binding, { batchSize, batchTimeout, retries, ...more }]) => {
    const concurrency = 'concurrency' in more ? { max_concurrency: more.concurrency } : {}
    const queue = producers.find((producer) => producer.binding === binding)?.queue
    if (!queue) return [`the producer ${binding} is missing`]
    const { batchSize: size, batchTimeout: timeout, retries: deadRetries, retryDelay } = deadLetterSettings
    const dead_letter_queue = `${queue}-dead`
    return [
      {
        queue,
        max_batch_size: batchSize,
        max_batch_timeout: batchTimeout,
        max_retries: retries,
        dead_letter_queue,
        ...concurrency,
      },
      {
        queue: dead_letter_queue,
        max_batch_size: size,
        max_batch_timeout: timeout,
        max_retries: deadRetries,
        retry_delay: retryDelay,
      },
    ].flatMap((expected) => {
      const consumer = consumers.find((candidate) => candidate.queue === expected.queue)
      return isDeepStrictEqual({ ...consumer }, expected)
        ? []
        : [`the consumer of ${expected.queue} differs from src/platform/events/queues.ts`]
    })
  })
}

type Session = { type: string; command_line_args: string[] }

/**
 * The command line of the wrangler process that runs `command` and this build step. wrangler does not pass its options
 * to the step, but appends them to the file WRANGLER_OUTPUT_FILE_PATH, which .env.staging and .env.production set.
 */
export function readCall(command: string, file = process.env.WRANGLER_OUTPUT_FILE_PATH): string {
  const lines = file && existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const sessions = lines.map((line): Session => JSON.parse(line)).filter(({ type }) => type === 'wrangler-session')
  const calls = sessions.map(({ command_line_args }) => command_line_args.join(' '))
  // Not simply the last: another wrangler process, such as `wrangler dev`, may have appended its session since.
  const call = calls.findLast((line) => ` ${line} `.includes(` ${command} `))
  if (call) return call
  throw new Error(
    'The options of wrangler are unknown: deploy with --env staging or --env production, without --env-file.',
  )
}

/** Whether `call` has --dry-run. Throws if unclear: a wrong guess would migrate in a dry run, or deploy unmigrated. */
export function isDryRun(call: string): boolean {
  if (!/dry-?run/i.test(call)) return false
  if (/ --dry-run( -|$)/.test(call)) return true
  throw new Error('Write --dry-run last or before another option, and without a value.')
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { deployProblems, isDryRun, readCall, type Settings } from '../../scripts/check-deployment.ts'

const read = (env?: string) => unstable_readConfig({ config: 'wrangler.toml', env })

const problemsWith = (vars: Settings['vars'], d1_databases = read('production').d1_databases) =>
  deployProblems({ ...read('production'), vars: { ...read('production').vars, ...vars }, d1_databases }, 'production')

test.each(['staging', 'production'] as const)('wrangler.toml can be deployed to %s and has no hard-coded id', (env) => {
  expect(deployProblems(read(env), env)).toEqual([])
  expect(JSON.stringify(read(env))).not.toMatch(/"(database_id|id)":/)
})

test.each([undefined, 'staging', 'production'])(
  'with --env %s, database names are unique, and each queue has a producer, a consumer and a dead-letter queue',
  (env) => {
    const { d1_databases, queues } = read(env)
    expect(new Set(d1_databases.map(({ database_name }: { database_name: string }) => database_name)).size).toBe(
      d1_databases.length,
    )
    // wrangler creates only queues that have a producer, so each consumed queue needs one.
    const produced = queues.producers.map(({ queue }: { queue: string }) => queue)
    const consumed = queues.consumers.map(({ queue }: { queue: string }) => queue)
    expect(produced.sort()).toEqual(consumed.sort())
    for (const { queue, dead_letter_queue } of queues.consumers) {
      expect(dead_letter_queue).toBe(queue.endsWith('-dead') ? undefined : `${queue}-dead`)
    }
  },
)

test('login providers are refused as a variable, because they contain secrets, and if they are malformed', () => {
  const google = { id: 'google', clientId: 'id', clientSecret: 'a client secret' }
  const [problem = '', ...more] = problemsWith({ OIDC_PROVIDERS: JSON.stringify([google]) })
  expect([problem, more]).toEqual([expect.stringContaining('OIDC_PROVIDERS contains secrets'), []])
  expect(problemsWith({ OIDC_PROVIDERS: '[{"id":"google"}]' }).join()).toContain('vars.OIDC_PROVIDERS 0 clientId')
})

test('a deployment is refused if its queues differ from src/platform/events/queues.ts', () => {
  const { queues, ...settings } = read('production')
  const problems = (consumers: object[], producers: object[] = queues.producers) =>
    deployProblems({ ...settings, queues: { producers, consumers } } as Settings, 'production')
  const [events, ...others] = queues.consumers
  expect(problems(queues.consumers)).toEqual([])
  expect(problems(others)).toEqual([`the consumer of ${events.queue} differs from src/platform/events/queues.ts`])
  expect(problems([{ ...events, max_retries: 3 }, ...others])).toEqual([
    `the consumer of ${events.queue} differs from src/platform/events/queues.ts`,
  ])
  expect(problems(queues.consumers, queues.producers.slice(1))).toEqual(['the producer EVENTS is missing'])
})

test('the development settings cannot be deployed to production', () => {
  expect(deployProblems(read(), 'production')).toEqual(['vars.ENVIRONMENT must be "production"'])
})

test.each([
  'http://social.org',
  'https://localhost',
  'https://127.0.0.1',
  'https://[::1]',
  'https://social.example.com',
  'https://social.test',
  'https://social.workers.dev',
  'social.org',
  '',
])('a BASE_URL of “%s” is refused', (BASE_URL) => {
  expect(problemsWith({ BASE_URL })).toEqual([expect.stringMatching(/^vars\.BASE_URL /)])
})

test.each([
  { OUTBOUND_LOCAL_HOSTS: '127.0.0.1:9000' },
  { PASSWORD_HASH_MEMORY_KIB: '64' },
  { PASSWORD_HASH_MEMORY_KIB: 19_455 },
  { REQUESTS_PER_MINUTE: '1000000' },
  { REQUESTS_PER_MINUTE: 'unlimited' },
  { OPEN_SHARDS: '0,2' },
  { OPEN_SHARDS: '' },
  { OPEN_SHARDS: undefined },
  { POST_MAX_LENGTH: 'abc' },
  { AUTH_SECRET: 'short' },
])('the invalid or development-only variables %o are refused', (vars) => {
  expect(problemsWith(vars)).toEqual([expect.stringMatching(new RegExp(`^vars\\.${Object.keys(vars)[0]} `))])
})

test('valid variables within the limits are accepted', () => {
  const quotas = { REQUESTS_PER_MINUTE: '1000', PASSWORD_HASH_MEMORY_KIB: '32768', POST_MAX_LENGTH: 5000 }
  expect(problemsWith({ ...quotas, OPEN_SHARDS: '1', BASE_URL: 'https://social.org' })).toEqual([])
})

test('OPEN_SHARDS may list only shards that have a binding', () => {
  expect(problemsWith({ OPEN_SHARDS: '0,1,2' })).toEqual(['vars.OPEN_SHARDS names a shard that has no binding'])
  const { d1_databases: databases } = read('production')
  expect(problemsWith({ OPEN_SHARDS: '0,1,2' }, [...databases, { binding: 'SHARD_2' }])).toEqual([])
})

test('readCall returns the last recorded wrangler call of a command, and throws if there is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'calls-'))
  const file = join(folder, 'calls.jsonl')
  const session = (...command_line_args: string[]) => JSON.stringify({ type: 'wrangler-session', command_line_args })
  try {
    expect(() => readCall('deploy', file)).toThrow('The options of wrangler are unknown')
    const calls = [session('deploy', '--dry-run'), session('deploy', '--env', 'staging'), session('dev', '--port', '1')]
    const lines = [...calls, '{"type":"deploy"}']
    writeFileSync(file, `${lines.join('\n')}\n`)
    expect(readCall('deploy', file)).toBe('deploy --env staging')
    expect(() => readCall('versions upload', file)).toThrow('The options of wrangler are unknown')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('--dry-run is recognized, and any other spelling of the option is an error', () => {
  for (const call of ['deploy --dry-run', 'deploy --dry-run --env staging']) expect(isDryRun(call)).toBe(true)
  expect(isDryRun('deploy --env staging')).toBe(false)
  for (const option of ['--dryRun', '--dry-run=false', '--dry-run false', '--no-dry-run']) {
    expect(() => isDryRun(`deploy ${option}`)).toThrow('without a value')
  }
})

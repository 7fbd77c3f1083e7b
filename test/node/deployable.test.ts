import { expect, test } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { deployProblems, type Settings } from '../../scripts/deployable.ts'

const read = (env?: string): Settings => unstable_readConfig({ config: 'wrangler.toml', env })

const problemsWith = (change: Partial<Settings>) =>
  deployProblems({ ...read('production'), ...change }, read(), 'production')

const problemsWithVars = (vars: Settings['vars']) => problemsWith({ vars: { ...read('production').vars, ...vars } })

test.each(['staging', 'production'] as const)('wrangler.toml is fit for %s, and has no hard-coded id', (target) => {
  expect(deployProblems(read(target), read(), target)).toEqual([])
  expect(JSON.stringify(read(target))).not.toMatch(/"(database_id|id)":/)
})

test('every queue that is consumed is also produced, because wrangler provisions producers only', () => {
  const { producers, consumers } = unstable_readConfig({ config: 'wrangler.toml', env: 'production' }).queues
  const produced = producers.map((it: { queue: string }) => it.queue)
  expect(produced).toEqual(expect.arrayContaining(consumers.map((it: { queue: string }) => it.queue)))
})

test('the settings of development are refused', () => {
  expect(deployProblems(read(), read(), 'production')).toEqual(
    expect.arrayContaining([
      'vars.ENVIRONMENT must be "production"',
      'socialconnect-directory does not say by its name that it belongs to production',
    ]),
  )
})

test('a binding or a secret that is left out is refused', () => {
  expect(problemsWith({ kv_namespaces: [] })).toEqual(['CACHE is not declared for production'])
  expect(problemsWith({ secrets: { required: ['BASE_URL', 'AUTH_SECRET', 'INDEX_KEY'] } })).toEqual([
    'DATA_KEYS is not declared for production',
  ])
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
])('the address %s is refused', (BASE_URL) => {
  expect(problemsWithVars({ BASE_URL })).toEqual([expect.stringMatching(/^vars\.BASE_URL /)])
})

test('an https address is taken as a variable too', () => {
  expect(problemsWithVars({ BASE_URL: 'https://social.org' })).toEqual([])
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
])('the variables %o, which development may have or which nobody can read, are refused', (vars) => {
  expect(problemsWithVars(vars)).toEqual([expect.stringMatching(new RegExp(`^vars\\.${Object.keys(vars)[0]} `))])
})

test('variables within reason are taken', () => {
  const vars = {
    REQUESTS_PER_MINUTE: '1000',
    PASSWORD_HASH_MEMORY_KIB: '32768',
    POST_MAX_LENGTH: 5000,
    OPEN_SHARDS: '1',
  }
  expect(problemsWithVars(vars)).toEqual([])
})

test('a shard may be opened once it is bound', () => {
  const { d1_databases: databases, vars } = read('production')
  const third = { binding: 'SHARD_2', database_name: 'socialconnect-production-shard-2' }
  expect(problemsWith({ d1_databases: [...databases, third], vars: { ...vars, OPEN_SHARDS: '2' } })).toEqual([])
})

test('what belongs to another environment is refused, wherever it is named', () => {
  const staging = read('staging')
  expect(problemsWith({ d1_databases: staging.d1_databases })).toHaveLength(4)
  expect(problemsWith({ queues: { ...read('production').queues, producers: staging.queues.producers } })).toHaveLength(
    12,
  )
})

test('two shards on one database are refused', () => {
  const [directory, shard, ...rest] = read('production').d1_databases
  const same = { ...shard!, binding: 'SHARD_1' }
  expect(problemsWith({ d1_databases: [directory!, shard!, same, rest.at(-1)!] })).toEqual([
    'SHARD_1 is the same database as another binding',
  ])
})

test('queues that nobody consumes, that the Worker does not know or whose failures go astray are refused', () => {
  const { producers, consumers } = read('production').queues
  const [events, ...others] = consumers!
  const withConsumers = (list: typeof consumers) => problemsWith({ queues: { producers, consumers: list } })
  expect(withConsumers(others)).toEqual([`nobody consumes ${events!.queue}`])
  expect(withConsumers([...others, { ...events!, dead_letter_queue: undefined }])).toEqual([
    `what fails in ${events!.queue} must go to ${events!.queue}-dead`,
  ])
  const strange = { queue: 'events-of-production', dead_letter_queue: 'events-of-production-dead' }
  expect(withConsumers([...consumers!, strange])).toEqual([
    'src/worker.ts does not know what to do with events-of-production',
  ])
})

import { expect, test } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { deployProblems, type Settings } from '../../scripts/deployable.ts'

const read = (env?: string): Settings => unstable_readConfig({ config: 'wrangler.toml', env })

const problemsWith = (change: Partial<Settings>) =>
  deployProblems({ ...read('production'), ...change }, read(), 'production')

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
    expect.arrayContaining(['vars.ENVIRONMENT must be "production"', 'socialconnect-directory belongs to development']),
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
  'social.org',
  '',
])('the address %s is refused', (BASE_URL) => {
  expect(problemsWith({ vars: { ...read('production').vars, BASE_URL } })).toHaveLength(1)
})

test('an https address is taken as a variable too', () => {
  expect(problemsWith({ vars: { ...read('production').vars, BASE_URL: 'https://social.org' } })).toEqual([])
})

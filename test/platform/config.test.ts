import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { configOf, defineVariable, isConfigured, shardBindings } from '../../src/platform/config.ts'
import { loginProviders } from '../../src/services/identity/variables.ts'

const withEnv = (changed: Record<string, unknown>): Env => Object.assign({ ...env }, changed)

function complaint(changed: Record<string, unknown>): string {
  try {
    configOf(withEnv(changed))
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('environment variables are parsed into the configuration, and unset ones get their defaults', () => {
  const config = configOf(withEnv({ BASE_URL: 'https://social.example/path', OPEN_SHARDS: '1,0' }))
  expect(config).toMatchObject({
    BASE_URL: 'https://social.example',
    OPEN_SHARDS: [1, 0],
    REQUESTS_PER_MINUTE: 100,
  })
})

test('login providers are refused with what is wrong in them, and never with a secret', () => {
  const google = { id: 'google', clientId: 'id', clientSecret: 'a client secret' }
  const other = { ...google, id: 'other', name: 'Other', issuer: 'https://id.example.org' }
  const problem = (list: unknown) =>
    complaint({ OIDC_PROVIDERS: typeof list === 'string' ? list : JSON.stringify(list) })
  expect(problem([google, other])).toBe('')
  const wrong: [unknown, RegExp][] = [
    ['not JSON', /OIDC_PROVIDERS must be/],
    [{}, /OIDC_PROVIDERS must be/],
    [[{ ...google, clientId: '' }], /OIDC_PROVIDERS 0 clientId is required/],
    [[google, { ...other, issuer: undefined }], /OIDC_PROVIDERS 1 issuer is required/],
    [[{ ...other, issuer: 'http://id.example.org' }], /0 issuer must be an https address/],
    [[{ ...other, issuer: 'https://id.example.org/?a' }], /0 issuer must be an https address/],
    [[{ ...other, id: 'Not an id' }], /0 id must be/],
    [[{ ...other, scopes: ['email'] }], /0 scopes must contain openid/],
    [[google, google], /same id twice/],
    [[other, { ...other, id: 'second' }], /same issuer twice/],
    [[{ ...google, secret: 'misspelt' }], /OIDC_PROVIDERS/],
  ]
  for (const [list, text] of wrong) {
    expect(problem(list)).toMatch(text)
    expect(problem(list)).not.toMatch(/a client secret|misspelt/)
    // An isolate that loads the service later reports the same.
    const OIDC_PROVIDERS = typeof list === 'string' ? list : JSON.stringify(list)
    expect(() => loginProviders({ env: withEnv({ OIDC_PROVIDERS }) })).toThrow(text)
  }
})

test('the configuration is parsed once per environment object', () => {
  const bindings = withEnv({})
  expect(configOf(bindings)).toBe(configOf(bindings))
})

test.each(['AUTH_SECRET', 'DATA_KEYS', 'INDEX_KEY'] as const)(
  'a missing %s is reported with the command that sets it, and a too short one without its value',
  (name) => {
    expect(complaint({ [name]: undefined })).toMatch(
      new RegExp(`not configured:\\n  ${name} is missing: .*wrangler secret put`),
    )
    expect(complaint({ [name]: 'short-secret' })).toContain(`${name} is too short`)
    expect(complaint({ [name]: 'short-secret' })).not.toContain('short-secret')
  },
)

test('DATA_KEYS that is malformed or has a key id over 16 characters is refused without showing keys', () => {
  const key = btoa('k'.repeat(32))
  const longest = 'k'.repeat(16)
  expect(complaint({ DATA_KEYS: `${longest}:${key}, k1:${key}` })).toBe('')
  for (const keyring of [
    key,
    `:${key}`,
    `${longest}2:${key}`,
    `k2:${key},`,
    `k2:${key},k-1:${key}`,
    `k1:${key}:${key}`,
  ]) {
    expect(complaint({ DATA_KEYS: keyring })).toMatch(/DATA_KEYS must list keys as id:key/)
    expect(complaint({ DATA_KEYS: keyring })).not.toContain(key)
  }
})

test('one error names every invalid variable', () => {
  const text = complaint({
    AUTH_SECRET: undefined,
    INDEX_KEY: undefined,
    OPEN_SHARDS: 'all',
    BASE_URL: 'x',
    ENVIRONMENT: 'test',
  })
  for (const name of ['AUTH_SECRET', 'INDEX_KEY', 'OPEN_SHARDS', 'BASE_URL', 'ENVIRONMENT'])
    expect(text).toContain(name)
})

test('OUTBOUND_LOCAL_HOSTS accepts only local hosts with a port, and only in development', () => {
  const hosts = '127.0.0.1:9000,127.0.0.1:9001'
  expect(configOf(withEnv({ OUTBOUND_LOCAL_HOSTS: hosts })).OUTBOUND_LOCAL_HOSTS).toEqual(hosts.split(','))
  expect(configOf(withEnv({})).OUTBOUND_LOCAL_HOSTS).toEqual([])
  for (const ENVIRONMENT of ['staging', 'production']) {
    expect(complaint({ ENVIRONMENT, OUTBOUND_LOCAL_HOSTS: hosts })).toContain(
      'OUTBOUND_LOCAL_HOSTS is allowed in development only',
    )
  }
  for (const other of ['10.0.0.1:80', 'example.org:443', '127.0.0.1', '*'])
    expect(complaint({ OUTBOUND_LOCAL_HOSTS: other })).toContain('OUTBOUND_LOCAL_HOSTS')
})

test('PASSWORD_HASH_MEMORY_KIB may be below 19456 only in development', () => {
  expect(complaint({ PASSWORD_HASH_MEMORY_KIB: '64' })).toBe('')
  for (const ENVIRONMENT of ['staging', 'production']) {
    const deployed = { ENVIRONMENT, BASE_URL: 'https://social.org' }
    expect(complaint({ ...deployed, PASSWORD_HASH_MEMORY_KIB: undefined })).toBe('')
    expect(complaint({ ...deployed, PASSWORD_HASH_MEMORY_KIB: '19455' })).toContain(
      'PASSWORD_HASH_MEMORY_KIB must be 19456 or more outside development',
    )
  }
})

test('OPEN_SHARDS may name only shards that have a binding', () => {
  expect(complaint({ OPEN_SHARDS: '0,2' })).toContain('OPEN_SHARDS names a shard that has no binding')
  const bindings = { OPEN_SHARDS: '0,2', SHARD_2: env.SHARD_1 }
  expect(configOf(withEnv(bindings)).OPEN_SHARDS).toEqual([0, 2])
})

test('shardBindings finds the bindings named SHARD_<n> and orders them by number', () => {
  const { SHARD_0, SHARD_1 } = env
  const bindings = { SHARD_10: SHARD_1, SHARD_2: SHARD_1, SHARD_X: SHARD_1, RESHARD_1: SHARD_1 } as object
  const shards = shardBindings(withEnv({ SHARD_0, ...bindings }))
  expect([...shards.keys()]).toEqual([0, 1, 2, 10])
  expect(shards.get(0)).toBe(SHARD_0)
})

test('variables of services that load after the first request are checked once they have loaded', () => {
  const bindings = withEnv({ LATE_VARIABLE: 'many' })
  expect(configOf(bindings).ENVIRONMENT).toBe('development')
  defineVariable('LATE_VARIABLE', z.coerce.number().optional())
  expect(isConfigured(bindings)).toBe(false)
  expect(() => configOf(bindings)).toThrow(/LATE_VARIABLE /)
})

import { afterAll, beforeEach, expect, test } from 'vitest'
import { createCommand } from '../../scripts/migrate.ts'
import { enableReplication } from '../../scripts/replication.ts'
import { mockCloudflare } from '../support/cloudflare.ts'

const cloudflare = await mockCloudflare()
afterAll(() => cloudflare.close())

const names = ['directory', 'shard-0']
const databases = names.map((name) => ({ name, uuid: name }))
const modes = () => names.map((name) => cloudflare.databases.get(name)!.replication)

beforeEach(() => {
  for (const name of names) cloudflare.create(name)
  cloudflare.asked.length = 0
})

const enable = (env = {}) => enableReplication(databases, { ...process.env, ...cloudflare.env, ...env })

test('replication is turned on for each database that has none, and a second run changes nothing', async () => {
  cloudflare.databases.get('directory')!.replication = 'auto'
  expect(await enable()).toBe('Read replication is on for all 2 databases, 1 of which had none before.\n')
  expect(modes()).toEqual(['auto', 'auto'])
  expect(cloudflare.asked.filter((line) => line.startsWith('PUT'))).toEqual([
    'PUT /accounts/account/d1/database/shard-0',
  ])
  cloudflare.asked.length = 0
  expect(await enable()).toBe('Read replication is on for all 2 databases, 0 of which had none before.\n')
  expect(cloudflare.asked.filter((line) => line.startsWith('PUT'))).toEqual([])
})

test.each(['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_ACCOUNT_ID'])(
  'without %s, no request is sent and the operator is told what to set',
  async (name) => {
    expect(await enable({ [name]: '' })).toBe(
      'Read replication was not checked, because CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID are not both set. See "Read replication" in docs/runbook.md.\n',
    )
    expect(cloudflare.asked).toEqual([])
  },
)

test('a refusal names the database and the missing permission, and the other databases are still changed', async () => {
  cloudflare.databases.get('directory')!.replication = 'refused'
  expect(await enable()).toBe(
    `Read replication cannot be turned on. See "Read replication" in docs/runbook.md. The token needs the permission D1 Edit.
- directory: Cloudflare responded with 403 Authentication error (10000)
`,
  )
  expect(modes()).toEqual(['refused', 'auto'])
})

test('a database is created in its jurisdiction if it has one', () => {
  const database = { binding: 'SHARD_0', database_name: 'shard-0', migrations_dir: 'migrations/shard' }
  expect(createCommand(database)).toEqual(['d1', 'create', 'shard-0'])
  const european = { ...database, jurisdiction: 'eu' }
  expect(createCommand(european)).toEqual(['d1', 'create', 'shard-0', '--jurisdiction', 'eu'])
})

test('an API that cannot be reached is reported and fails nothing', async () => {
  expect(await enable({ CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:1' })).toMatch(/^Read replication cannot.*\n- dir/)
})

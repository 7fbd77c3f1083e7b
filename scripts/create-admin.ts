import { spawnSync } from 'node:child_process'
import { argon2Sync, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { parseEnv } from 'node:util'
import type { Config } from '../src/platform/config.ts'
import { firstIdAt, newId, shardOf } from '../src/platform/data/ids.ts'
import { sealFor } from '../src/platform/security/account-keys.ts'
import { blindIndex } from '../src/platform/security/crypto.ts'
import { Address, EMAIL } from '../src/services/identity/email.ts'
import { type System, wranglerCommand, wranglerEnv } from './cli.ts'
import { UsageError } from './command.ts'
import { type Query, withDatabases, withSystem } from './databases.ts'
import { cryptoConfig, keyIds } from './keyring.ts'

type Admin = { handle: string; address: string }

/** Creates a verified account with the role admin, in every mode of registration. Returns what to print. */
export async function createAdmin(system: System, { handle, address: typed }: Admin): Promise<string> {
  const { success, data: address } = Address.safeParse(typed)
  if (!success) throw new UsageError(`${typed} is not an email address.`)
  const config = readKeys(system)
  const email = `${await blindIndex(config, 'email', address)}@index.invalid`
  const { bucket, openShards } = await settingsOf(system)
  return withSystem(system, async (query) => {
    if (await exists(query, { handle, email }))
      return `@${handle} is already an admin with this address. Nothing was changed.\n`
    await requireFree(query, handle)
    const id = newId(openShards[0]!, Date.now())
    const seal = (KEYS: R2Bucket) => sealFor({ env: { KEYS }, config }, id, address, EMAIL)
    const sealed = system.env
      ? await seal(remoteBucket(system.env, bucket))
      : await withDatabases(system.stateDir, (_, { KEYS }) => seal(KEYS))
    const password = randomBytes(18).toString('base64url')
    await query('DIRECTORY', directoryRows({ id, handle, email, sealed, hash: hashOf(password) }))
    await query(`SHARD_${shardOf(id)}`, shardRows(id, handle))
    return `@${handle} is now an admin with the address ${address}.\nThe password is shown only this once: ${password}\n`
  })
}

/** Returns whether this admin exists. Throws if the handle or the address belongs to another account. */
async function exists(query: Query, { handle, email }: { handle: string; email: string }): Promise<boolean> {
  const [rows = []] = await query(
    'DIRECTORY',
    `SELECT h.handle, u.email, u.role FROM handles h JOIN users u ON u.id = h.account_id
       WHERE (h.handle = '${handle}' OR u.email = '${email}') AND u.email_verified = 1`,
  )
  const [row] = rows
  if (!row) return false
  if (rows.length === 1 && row.handle === handle && row.email === email && row.role === 'admin') return true
  if (row.handle !== handle) throw new Error('Another account has this address.')
  throw new Error(`@${handle} exists already. To make it an admin: npm run admin -- grant ${handle} admin`)
}

/** Throws while the handle is reserved for the account that gave it up, or after the account with it was erased. */
async function requireFree(query: Query, handle: string): Promise<void> {
  const [rows = []] = await query(
    'DIRECTORY',
    `SELECT until FROM former_handles WHERE handle = '${handle}' AND until > ${Date.now()} UNION ALL
     SELECT reserved_until FROM handles WHERE handle = '${handle}' AND address = '' AND reserved_until > ${Date.now()}`,
  )
  const [row] = rows
  if (!row) return
  const until = new Date(Number(row.until)).toISOString().slice(0, 10)
  throw new Error(`@${handle} belonged to another account and is reserved until ${until}. Choose another handle.`)
}

type Row = { id: string; handle: string; email: string; sealed: string; hash: string }

/** Replaces registrations that are not verified. The event opens the account if this script is killed in between. */
function directoryRows({ id, handle, email, sealed, hash }: Row): string {
  const now = Date.now()
  const replaced = `reserved_until IS NOT NULL AND (handle = '${handle}' OR address = '${email}')`
  const event = `max(${firstIdAt(now)}, coalesce((SELECT max(id) + 1 FROM outbox), 0))`
  return `DELETE FROM users WHERE id IN (SELECT account_id FROM handles WHERE ${replaced});
    DELETE FROM handles WHERE ${replaced};
    INSERT INTO handles (handle, account_id, address, mailed_at) VALUES ('${handle}', ${id}, '${email}', ${now});
    INSERT INTO users (id, email, email_verified, sealed_address, role, created_at, updated_at)
      VALUES (${id}, '${email}', 1, '${sealed}', 'admin', ${now}, ${now});
    INSERT INTO credentials (id, account_id, provider_id, user_id, password, created_at, updated_at)
      VALUES ('${randomUUID()}', '${id}', 'credential', ${id}, '${hash}', ${now}, ${now});
    INSERT INTO outbox (id, type, data) VALUES (${event}, 'identity.address-verified', '{"accountId":"${id}"}');
    INSERT INTO outbox (id, type, data) VALUES (${event}, 'identity.role-changed', '{"accountId":"${id}","role":"admin"}')`
}

/** The rows that `openAccount` of the service `accounts` inserts. */
const shardRows = (id: string, handle: string) => `
  INSERT OR IGNORE INTO accounts (id, handle, display_name, created_at)
    VALUES (${id}, '${handle}', '${handle}', ${Date.now()});
  INSERT OR IGNORE INTO follows (follower_id, id, followee_id) VALUES (${id}, ${id}, ${id})`

/** A hash in the format of src/services/identity/passwords.ts. */
function hashOf(password: string): string {
  const nonce = randomBytes(16)
  const cost = { memory: 19_456, passes: 2, parallelism: 1 }
  const hash = argon2Sync('argon2id', { message: password, nonce, tagLength: 32, ...cost })
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${text(nonce)}$${text(hash)}`
}

function readKeys({ env }: System): Config {
  const local = !env && existsSync('.dev.vars') ? parseEnv(readFileSync('.dev.vars', 'utf8')) : {}
  const { DATA_KEYS, INDEX_KEY } = { ...local, ...process.env }
  const hint = env ? `Set the variables DATA_KEYS and INDEX_KEY to the secrets of ${env}.` : 'Run npm start once.'
  if (!DATA_KEYS || !INDEX_KEY) throw new Error(`DATA_KEYS and INDEX_KEY are needed. ${hint}`)
  keyIds(DATA_KEYS) // throws unless the keyring is valid
  return cryptoConfig({ DATA_KEYS, INDEX_KEY })
}

type Bucket = { binding: string; bucket_name?: string; jurisdiction?: string }

async function settingsOf({ env }: System) {
  const { unstable_readConfig } = await import('wrangler')
  const { vars, r2_buckets } = unstable_readConfig({ config: 'wrangler.toml', env })
  const bucket = (r2_buckets as Bucket[]).find(({ binding }) => binding === 'KEYS')
  return { bucket: bucket!, openShards: String(vars.OPEN_SHARDS).split(',').map(Number) }
}

/** The deployed bucket, for the one new object that `sealFor` stores. */
function remoteBucket(env: string, { bucket_name, jurisdiction }: Bucket) {
  const put = async (name: string, value: string) => {
    const where = ['--remote', '--env', env, ...(jurisdiction ? ['--jurisdiction', jurisdiction] : [])]
    const command = ['r2', 'object', 'put', `${bucket_name}/${name}`, '--pipe', ...where]
    const { status, stderr } = spawnSync(process.execPath, wranglerCommand(...command), {
      input: value,
      encoding: 'utf8',
      env: { ...wranglerEnv, WRANGLER_OUTPUT_FILE_PATH: devNull },
    })
    if (status !== 0) throw new Error(`wrangler r2 object put failed: ${stderr}`)
    return {}
  }
  return { get: async () => null, put } as unknown as R2Bucket
}

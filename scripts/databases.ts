import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { persistFlag, registryOf, type System, wranglerCommand, wranglerEnv } from './cli.ts'

// wrangler is imported on first use: loading it takes half a second, and most runs have nothing to migrate.

export type Row = Record<string, string | number | null>

export type Database = {
  binding: string
  database_name: string
  database_id?: string
  migrations_dir: string
  jurisdiction?: string
}

export async function databasesOf(env?: string): Promise<Database[]> {
  const { unstable_readConfig } = await import('wrangler')
  return unstable_readConfig({ config: 'wrangler.toml', env }).d1_databases
}

/** Runs SQL statements on a database, named by its binding. Resolves with the rows of each statement. */
export type Query = (binding: string, sql: string) => Promise<Row[][]>

/** Opens the databases of a system while `work` runs: the deployed ones through wrangler, local ones directly. */
export async function withSystem<T>({ env, stateDir }: System, work: (query: Query) => Promise<T>): Promise<T> {
  if (env) return work(async (binding, sql) => executeRemotely(env, binding, sql))
  requireMigrated(stateDir)
  const { unstable_splitSqlQuery } = await import('wrangler')
  return withDatabases(stateDir, (databases) =>
    work(async (binding, sql) => {
      const database = databases[binding]!
      const statements = unstable_splitSqlQuery(sql).map((statement) => database.prepare(statement))
      return (await database.batch<Row>(statements)).map(({ results }) => results)
    }),
  )
}

function executeRemotely(env: string, binding: string, sql: string): Row[][] {
  const command = ['d1', 'execute', binding, '--remote', '--env', env, '--yes', '--json', '--command', sql]
  const { stdout, status } = spawnSync(process.execPath, wranglerCommand(...command), {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
    // Keeps the SQL, which may hold encrypted addresses, out of the report file of .env.staging and .env.production.
    env: { ...wranglerEnv, WRANGLER_OUTPUT_FILE_PATH: devNull },
  })
  const answer: unknown = JSON.parse(stdout.slice(Math.max(0, stdout.search(/^[[{]/m))) || '{}')
  if (status === 0 && Array.isArray(answer)) return answer.map(({ results }) => results)
  const { error } = answer as { error?: { text?: string } }
  throw new Error(`wrangler d1 execute ${binding} failed: ${error?.text ?? stdout}`)
}

/**
 * Applies the migrations of all local databases in one runtime. That takes 2 s, or a few milliseconds if nothing has
 * changed; `wrangler d1 migrations apply --local` takes 10 s, one database at a time. Safe while a server is running.
 */
export async function migrateLocally(stateDir: string): Promise<void> {
  if (isMigrated(stateDir)) return
  const databases = await databasesOf()
  await withDatabases(stateDir, async (env) => {
    for (const { binding, migrations_dir } of databases) await applyMigrations(env[binding]!, migrations_dir)
  })
  writeFileSync(stampOf(stateDir), fingerprint())
}

function isMigrated(stateDir: string): boolean {
  return existsSync(stampOf(stateDir)) && readFileSync(stampOf(stateDir), 'utf8') === fingerprint()
}

/** Throws unless the local databases exist and have all tables. */
export function requireMigrated(stateDir: string): void {
  if (isMigrated(stateDir)) return
  const flag = persistFlag({ stateDir })
  throw new Error(`The databases in ${stateDir} are not set up: run npm start${flag && ` --${flag}`} once.`)
}

/** The local stores besides the databases that scripts use. */
export type Stores = { KEYS: R2Bucket; ACTIVITY_LOG: R2Bucket; CACHE: KVNamespace }

/** Opens the local databases, by binding, and stores while `work` runs. A running server may use them at the same time. */
export async function withDatabases<T>(
  stateDir: string,
  work: (databases: Record<string, D1Database>, stores: Stores) => Promise<T>,
): Promise<T> {
  process.env.WRANGLER_REGISTRY_PATH ??= registryOf(stateDir)
  const { getPlatformProxy } = await import('wrangler')
  const { env, dispose } = await getPlatformProxy<Stores & Record<string, unknown>>({
    configPath: await storesOnly(stateDir),
    persist: { path: join(stateDir, 'v3') },
    remoteBindings: false,
  })
  try {
    const { KEYS, ACTIVITY_LOG, CACHE, ...databases } = env
    return await work(databases as Record<string, D1Database>, { KEYS, ACTIVITY_LOG, CACHE })
  } finally {
    await dispose()
  }
}

const stampOf = (stateDir: string) => join(stateDir, 'v3/d1/migrated')

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const file of ['wrangler.toml', ...globSync('migrations/*/*.sql').sort()]) {
    hash.update(`${file}\n`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

/** Writes a configuration with only these stores, so that no other binding uses the state folder. */
async function storesOnly(stateDir: string): Promise<string> {
  const { unstable_readConfig } = await import('wrangler')
  const config = unstable_readConfig({ config: 'wrangler.toml' })
  mkdirSync(stateDir, { recursive: true })
  const file = join(stateDir, 'stores.json')
  const d1_databases = (await databasesOf()).map(({ binding, database_id }) => ({ binding, database_id }))
  const r2_buckets = config.r2_buckets.filter(({ binding }: { binding: string }) =>
    ['KEYS', 'ACTIVITY_LOG'].includes(binding),
  )
  const { kv_namespaces } = config
  const stores = { d1_databases, r2_buckets, kv_namespaces }
  writeFileSync(file, JSON.stringify({ name: 'stores', compatibility_date: '2026-11-01', ...stores }))
  return file
}

const migrationsTable = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

async function applyMigrations(db: D1Database, folder: string): Promise<void> {
  const { unstable_splitSqlQuery } = await import('wrangler')
  await db.prepare(migrationsTable).run()
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map((row) => row.name))
  const pending = readdirSync(folder).filter((name) => name.endsWith('.sql') && !applied.has(name))
  for (const name of pending.sort()) {
    const statements = unstable_splitSqlQuery(readFileSync(join(folder, name), 'utf8'))
    const recorded = db.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name)
    await db.batch([...statements.map((sql) => db.prepare(sql)), recorded]).catch((error: Error) => {
      throw new Error(`The migration ${join(folder, name)} failed: ${error.message}`)
    })
  }
}

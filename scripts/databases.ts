import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const migrationsTable = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`

/**
 * Applies the migrations of every local database, as `wrangler d1 migrations apply --local` does one by one, but in one
 * runtime: 2 s instead of 10 s, and a few milliseconds when nothing changed. Safe beside a running server.
 */
export async function migrateLocally(stateDir: string): Promise<void> {
  if (isMigrated(stateDir)) return
  const { unstable_readConfig } = await import('wrangler')
  const databases = unstable_readConfig({ config: 'wrangler.toml' }).d1_databases
  await withDatabases(stateDir, async (env) => {
    for (const { binding, migrations_dir } of databases) await applyMigrations(env[binding]!, migrations_dir!)
  })
  writeFileSync(stampOf(stateDir), fingerprint())
}

/** Whether every migration there is has been applied to the local databases. */
export function isMigrated(stateDir: string): boolean {
  return existsSync(stampOf(stateDir)) && readFileSync(stampOf(stateDir), 'utf8') === fingerprint()
}

/** Lends the local databases, by binding, to `work`. A running server may use them at the same time. */
export async function withDatabases<T>(
  stateDir: string,
  work: (databases: Record<string, D1Database>) => Promise<T>,
): Promise<T> {
  const { getPlatformProxy, unstable_readConfig } = await import('wrangler')
  const { env, dispose } = await getPlatformProxy<Record<string, D1Database>>({
    configPath: databasesOnly(stateDir, unstable_readConfig({ config: 'wrangler.toml' }).d1_databases),
    persist: { path: join(stateDir, 'v3') },
    remoteBindings: false,
  })
  try {
    return await work(env)
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

// A configuration with the databases alone starts no other simulator, so nothing else in the state folder is touched.
function databasesOnly(stateDir: string, databases: { binding: string; database_id?: string }[]): string {
  mkdirSync(stateDir, { recursive: true })
  const file = join(stateDir, 'databases.json')
  const d1_databases = databases.map(({ binding, database_id }) => ({ binding, database_id }))
  writeFileSync(file, JSON.stringify({ name: 'migrations', compatibility_date: '2026-11-01', d1_databases }))
  return file
}

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

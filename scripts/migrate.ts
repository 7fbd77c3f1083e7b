import { spawnSync } from 'node:child_process'
import { wranglerCommand, wranglerEnv } from './cli.ts'
import { main, UsageError } from './command.ts'
import { type Database, databasesOf } from './databases.ts'
import { type DatabaseId, enableReplication } from './replication.ts'

/** Creates the missing databases of an environment and applies all pending migrations. Throws at the first failure. */
export async function migrate(env: 'staging' | 'production'): Promise<void> {
  const databases = await databasesOf(env)
  const present = listDatabases()
  const missing = databases.filter(({ database_name: name }) => !present.some((database) => database.name === name))
  // The output of `d1 create` is hidden, because it advises adding an id to wrangler.toml, which must contain none.
  for (const database of missing) wrangler('ignore', ...createCommand(database))
  for (const { binding } of databases)
    wrangler('inherit', 'd1', 'migrations', 'apply', binding, '--remote', '--env', env)
  const all = missing.length > 0 ? listDatabases() : present
  const own = all.filter(({ name }) => databases.some((database) => database.database_name === name))
  process.stdout.write(await enableReplication(own))
}

/** Includes the jurisdiction, because a database gets one at its creation or never. */
export const createCommand = ({ database_name: name, jurisdiction }: Database): string[] =>
  ['d1', 'create', name].concat(jurisdiction ? ['--jurisdiction', jurisdiction] : [])

const listDatabases = (): DatabaseId[] => JSON.parse(wrangler('pipe', 'd1', 'list', '--json'))

/** Runs wrangler without a terminal, so that it does not ask for confirmation. */
function wrangler(out: 'inherit' | 'ignore' | 'pipe', ...args: string[]): string {
  const { status, stdout } = spawnSync(process.execPath, wranglerCommand(...args), {
    stdio: ['ignore', out, 'inherit'],
    encoding: 'utf8',
    env: wranglerEnv,
  })
  if (status === 0) return stdout
  throw new Error(`wrangler ${args.join(' ')} failed. Once the cause is fixed, run the same command again.`)
}

const usage = {
  command: 'npm run migrate',
  purpose: 'Creates the missing databases of a deployed system and applies pending migrations, as a deployment does.',
  forms: { staging: 'the databases of staging', production: 'the databases of production' },
  examples: ['staging', 'production'],
}

if (import.meta.main) {
  await main(usage, ({ positionals: [target, ...rest] }) => {
    if (rest.length === 0 && (target === 'staging' || target === 'production')) return migrate(target)
    throw new UsageError('Name an environment: staging or production.')
  })
}

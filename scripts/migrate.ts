import { spawnSync } from 'node:child_process'
import { wranglerCommand, wranglerEnv } from './cli.ts'
import { main, UsageError } from './command.ts'
import { databasesOf } from './databases.ts'

/** Creates the missing databases of an environment and applies all pending migrations. Throws at the first failure. */
export async function migrate(env: 'staging' | 'production'): Promise<void> {
  const present: { name: string }[] = JSON.parse(wrangler('pipe', 'd1', 'list', '--json'))
  for (const { binding, database_name: name } of await databasesOf(env)) {
    // The output of `d1 create` is hidden, because it advises to add an id to wrangler.toml, which must contain none.
    if (!present.some((database) => database.name === name)) wrangler('ignore', 'd1', 'create', name)
    wrangler('inherit', 'd1', 'migrations', 'apply', binding, '--remote', '--env', env)
  }
}

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
  purpose:
    'Creates the missing databases of a deployed system and applies pending migrations. A deployment does so too.',
  forms: { staging: 'the databases of staging', production: 'the databases of production' },
  examples: ['staging', 'production'],
}

if (import.meta.main) {
  await main(usage, ({ positionals: [target, ...rest] }) => {
    if (rest.length === 0 && (target === 'staging' || target === 'production')) return migrate(target)
    throw new UsageError('Name an environment: staging or production.')
  })
}

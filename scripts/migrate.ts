import { spawnSync } from 'node:child_process'
import { unstable_readConfig } from 'wrangler'

const cli = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js']
const target = process.argv[2]

type Database = { binding: string; database_name: string }

/** Makes every deployed database that is not there yet and applies its pending migrations, stopping at the first failure. */
function migrate(env: string): boolean {
  const databases: Database[] = unstable_readConfig({ config: 'wrangler.toml', env }).d1_databases
  return databases.every(({ binding, database_name: name }) => {
    const isThere = wrangler(['d1', 'info', name, '--json'], 'ignore', 'ignore')
    // What it says besides is what to write into wrangler.toml, where no id is to stand.
    const isReady = isThere || wrangler(['d1', 'create', name], 'ignore', 'inherit')
    return isReady && wrangler(['d1', 'migrations', 'apply', binding, '--remote', '--env', env], 'inherit', 'inherit')
  })
}

/** Without a terminal to ask at, wrangler goes on as if it had been told yes. */
function wrangler(args: string[], out: 'inherit' | 'ignore', errors: 'inherit' | 'ignore'): boolean {
  return spawnSync(process.execPath, [...cli, ...args], { stdio: ['ignore', out, errors] }).status === 0
}

if (target !== 'staging' && target !== 'production') {
  process.stderr.write('Say which databases: npm run migrate -- staging, or npm run migrate -- production\n')
  process.exitCode = 1
} else {
  process.exitCode = migrate(target) ? 0 : 1
}

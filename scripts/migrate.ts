import { spawnSync } from 'node:child_process'
import { unstable_readConfig } from 'wrangler'

const wrangler = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js']
const target = process.argv[2]

/** Applies the pending migrations of every deployed database, stopping at the first failure. */
function migrate(env: string): boolean {
  const databases: { binding: string }[] = unstable_readConfig({ config: 'wrangler.toml', env }).d1_databases
  return databases.every(({ binding }) => {
    const apply = ['d1', 'migrations', 'apply', binding, '--remote', '--env', env]
    return spawnSync(process.execPath, [...wrangler, ...apply], { stdio: 'inherit' }).status === 0
  })
}

if (target !== 'staging' && target !== 'production') {
  process.stderr.write('Say which databases: npm run migrate -- staging, or npm run migrate -- production\n')
  process.exitCode = 1
} else {
  process.exitCode = migrate(target) ? 0 : 1
}

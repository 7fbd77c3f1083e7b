import { spawnSync } from 'node:child_process'
import { unstable_readConfig } from 'wrangler'
import { main } from './d1.ts'
import type { Target } from './deployable.ts'

const cli = ['--no-warnings', 'node_modules/wrangler/wrangler-dist/cli.js']

type Database = { binding: string; database_name: string }

/** Makes every deployed database that is not there yet and applies its pending migrations, up to the first failure, which it throws. */
export function migrate(env: Target): void {
  const databases: Database[] = unstable_readConfig({ config: 'wrangler.toml', env }).d1_databases
  const present: { name: string }[] = JSON.parse(wrangler(['d1', 'list', '--json'], 'pipe'))
  for (const { binding, database_name: name } of databases) {
    // What it says besides is what to write into wrangler.toml, where no id is to stand.
    if (!present.some((it) => it.name === name)) wrangler(['d1', 'create', name], 'ignore')
    wrangler(['d1', 'migrations', 'apply', binding, '--remote', '--env', env], 'inherit')
  }
}

/** Without a terminal to ask at, wrangler goes on as if it had been told yes. What it complains of is shown. */
function wrangler(args: string[], out: 'inherit' | 'ignore' | 'pipe'): string {
  const { status, stdout } = spawnSync(process.execPath, [...cli, ...args], {
    stdio: ['ignore', out, 'inherit'],
    encoding: 'utf8',
    env: { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', ...process.env },
  })
  if (status === 0) return stdout
  throw new Error(`wrangler ${args.join(' ')} failed. Once that is mended, the same command goes on from there.`)
}

if (import.meta.main) {
  await main(() => {
    const target = process.argv[2]
    if (target === 'staging' || target === 'production') return migrate(target)
    throw new Error('Say which databases: npm run migrate -- staging, or npm run migrate -- production')
  })
}

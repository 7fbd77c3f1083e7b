import { readFileSync } from 'node:fs'
import { withEnvironments } from './build-config.ts'
import { buildWeb } from './build-web.ts'
import { buildWorker } from './build-worker.ts'
import { deployProblems, isDryRun, readCall, type Target } from './check-deployment.ts'
import { requireTools, requireWritable } from './check-tools.ts'
import { STATE_DIR } from './cli.ts'
import { main } from './command.ts'
import { migrateLocally } from './databases.ts'
import { secretCommands, writeDevVars } from './secrets.ts'

// wrangler runs this script as its build step, before it reads secrets or starts anything, and sets WRANGLER_COMMAND.

/** Prepares everything that a local server needs. */
export async function prepareLocally(stateDir: string): Promise<void> {
  requireTools()
  for (const folder of [stateDir, 'dist/web']) requireWritable(folder)
  await buildWeb({ withGraphiql: true })
  writeDevVars()
  await migrateLocally(stateDir)
}

/**
 * Migrates the databases last, once all checks below have passed. wrangler checks the secrets after this step. If it
 * then refuses to deploy, the running version continues on the migrated databases.
 */
async function prepareDeployment(command: string, target: string | undefined): Promise<void> {
  if (target !== 'staging' && target !== 'production') {
    throw new Error('Development is never deployed: use --env staging or --env production.')
  }
  const call = readCall(command)
  const dryRun = isDryRun(call)
  if (/ --var\b/.test(call)) throw new Error('--var is not checked: set variables in wrangler.toml.')
  await checkDeployment(target)
  await Promise.all([buildWeb(), buildWorker()])
  if (dryRun) process.stdout.write('Dry run: only a deployment creates and migrates the databases.\n')
  else await (await import('./migrate.ts')).migrate(target)
}

async function checkDeployment(target: Target): Promise<void> {
  const { unstable_readConfig } = await import('wrangler')
  const settings = unstable_readConfig({ config: 'wrangler.toml', env: target })
  const text = readFileSync('wrangler.toml', 'utf8')
  const stale = withEnvironments(text) === text ? [] : ['its generated sections are stale: run npm run config']
  const problems = [...stale, ...deployProblems(settings, target)]
  if (problems.length > 0) throw new Error(`wrangler.toml cannot be deployed to ${target}:\n- ${problems.join('\n- ')}`)
  const commands = secretCommands(settings.secrets?.required ?? [], target)
  process.stdout.write('These secrets must be set once; wrangler refuses to deploy without them:\n')
  process.stdout.write(commands.map((line) => `  ${line}\n`).join(''))
}

const usage = {
  command: 'node scripts/prepare.ts',
  purpose: 'Builds what wrangler serves or deploys, and migrates the databases. wrangler runs it as its build step.',
  forms: {
    development: 'prepares a local server',
    staging: 'prepares a deployment, or a local server with the built Worker',
    production: 'the same for production',
  },
  examples: ['development'],
}

if (import.meta.main) {
  await main(usage, async ({ positionals: [target] }) => {
    const command = process.env.WRANGLER_COMMAND ?? 'dev'
    if (command === 'deploy' || command === 'versions upload') return prepareDeployment(command, target)
    await prepareLocally(process.env.STATE_DIR ?? STATE_DIR)
    if (target !== 'development') await buildWorker()
  })
}

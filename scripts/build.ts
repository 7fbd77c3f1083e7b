import { STATE_DIR } from './d1.ts'
import { migrateLocally } from './databases.ts'
import { deployProblems, type Target } from './deployable.ts'
import { buildPages } from './pages.ts'
import { requireTools, requireWritable } from './requirements.ts'
import { secretCommands, writeDevVars } from './secrets.ts'
import { buildWorker } from './worker.ts'
import { endWrangler, findWrangler, isDryRun, isServing, persistsTo, setsVariables } from './wrangler.ts'

// wrangler runs this as its [build] step, before it reads the secrets or starts anything, and names its own command.
const target = process.argv[2]
const command = process.env.WRANGLER_COMMAND ?? ''
const wrangler = command ? findWrangler(command) : undefined

async function build(): Promise<void> {
  if (command === 'deploy' || command === 'versions upload') return prepareDeployment(wrangler?.call)
  requireTools()
  const stateDir = persistsTo(wrangler?.call ?? []) ?? process.env.STATE_DIR ?? STATE_DIR
  for (const folder of [stateDir, 'dist/web']) requireWritable(folder)
  await Promise.all([buildPages(), target === 'development' ? undefined : buildWorker()])
  writeDevVars()
  await migrateLocally(stateDir)
}

/**
 * Databases come last, when nothing that is checked here forbids the deployment. Whether secrets are missing wrangler asks
 * after this; should it refuse, the version that runs goes on with what has been migrated.
 */
async function prepareDeployment(call: string[] | undefined): Promise<void> {
  if (!call) throw new Error('Options cannot be seen here: deploy with npx wrangler deploy, on Linux or macOS.')
  if (target !== 'staging' && target !== 'production') {
    throw new Error('These are the settings of development: deploy with --env staging or --env production.')
  }
  if (setsVariables(call)) throw new Error('--var goes unchecked: set variables in wrangler.toml.')
  await checkDeployment(target)
  await Promise.all([buildPages(), buildWorker()])
  if (isDryRun(call)) process.stdout.write('A dry run: the deployment itself makes and migrates the databases.\n')
  else (await import('./migrate.ts')).migrate(target)
}

async function checkDeployment(target: Target): Promise<void> {
  const { unstable_readConfig } = await import('wrangler')
  const settings = unstable_readConfig({ config: 'wrangler.toml', env: target })
  const problems = deployProblems(settings, unstable_readConfig({ config: 'wrangler.toml' }), target)
  if (problems.length > 0) throw new Error(`wrangler.toml is not fit for ${target}:\n- ${problems.join('\n- ')}`)
  const commands = secretCommands(settings.secrets?.required ?? [], target)
  process.stdout.write('Needed once, and wrangler refuses to deploy while one is missing:\n')
  process.stdout.write(commands.map((line) => `  ${line}\n`).join(''))
}

/** A server that runs stays: its next build may be better. */
async function fail(message: string): Promise<void> {
  const serves = command === 'dev' && wrangler !== undefined && isServing(wrangler)
  process.exitCode = serves ? 0 : 1
  if (wrangler && !serves) await endWrangler(wrangler, message)
  else process.stderr.write(`${message}\n`)
}

try {
  await build()
} catch (error) {
  await fail(error instanceof Error ? error.message : String(error))
}

import { STATE_DIR } from './d1.ts'
import { migrateLocally } from './databases.ts'
import { deployProblems, type Target } from './deployable.ts'
import { buildPages } from './pages.ts'
import { requireWritable } from './requirements.ts'
import { secretCommands, writeDevVars } from './secrets.ts'
import { callOfWrangler, isDryRun, setsVariables } from './wrangler.ts'

// wrangler runs this as its [build] step, before it reads the secrets or starts anything, and names its own command.
const target = process.argv[2]
const command = process.env.WRANGLER_COMMAND ?? ''

async function build(): Promise<void> {
  if (command === 'deploy' || command === 'versions upload') return prepareDeployment(callOfWrangler(command))
  const stateDir = process.env.STATE_DIR ?? STATE_DIR
  for (const folder of [stateDir, 'dist/web']) requireWritable(folder)
  await buildPages()
  writeDevVars()
  await migrateLocally(stateDir)
}

/** Databases come last, when nothing else forbids the deployment: the code goes up after this. */
async function prepareDeployment(call: string[]): Promise<void> {
  if (target !== 'staging' && target !== 'production') {
    throw new Error('These are the settings of development: deploy with --env staging or --env production.')
  }
  if (setsVariables(call)) throw new Error('--var goes unchecked: set variables in wrangler.toml.')
  await checkDeployment(target)
  await buildPages()
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

try {
  await build()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  // Over a step that fails with a code wrangler prints all that it knows of it; over one that was ended by a signal, a line.
  if (command) process.kill(process.pid, 'SIGTERM')
  process.exitCode = 1
}

import { migrateLocally } from './databases.ts'
import { deployProblems, type Target } from './deployable.ts'
import { buildPages } from './pages.ts'
import { secretCommands, writeDevVars } from './secrets.ts'

// wrangler runs this as its [build] step, before it reads the secrets or starts anything, and names its own command.
const target = process.argv[2]
const deploying = ['deploy', 'versions upload'].includes(process.env.WRANGLER_COMMAND ?? '')

async function build(): Promise<void> {
  if (deploying) await checkDeployment()
  await buildPages()
  if (!deploying) await prepareHere()
}

async function prepareHere(): Promise<void> {
  writeDevVars()
  await migrateLocally(process.env.STATE_DIR ?? '.wrangler/state')
}

async function checkDeployment(): Promise<void> {
  if (target !== 'staging' && target !== 'production') {
    throw new Error('These are the settings of development: deploy with --env staging or --env production.')
  }
  const { unstable_readConfig } = await import('wrangler')
  const settings = unstable_readConfig({ config: 'wrangler.toml', env: target })
  const problems = deployProblems(settings, unstable_readConfig({ config: 'wrangler.toml' }), target)
  if (problems.length > 0) throw new Error(`wrangler.toml is not fit for ${target}:\n- ${problems.join('\n- ')}`)
  printNeeds(settings.secrets?.required ?? [], target)
}

function printNeeds(secrets: string[], env: Target): void {
  const commands = secretCommands(secrets, env).map((command) => `  ${command}\n`)
  process.stdout.write(`Needed once, and wrangler refuses to deploy while one is missing:\n${commands.join('')}`)
  process.stdout.write(`Before each deploy, the first included:\n  npm run migrate -- ${env}\n`)
}

try {
  await build()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { RESEALING, type Resealing } from '../src/platform/security/account-keys.ts'
import { type System, systemFlag, systemOf, systemOptions, wranglerCommand, wranglerEnv } from './cli.ts'
import { main, UsageError } from './command.ts'
import { requireMigrated, withDatabases } from './databases.ts'
import { addKey, keyIds } from './keyring.ts'

const FILE = '.dev.vars'

function readDataKeys({ env }: System): string {
  if (env && !process.env.DATA_KEYS) throw new Error(`Set the variable DATA_KEYS to the keyring of ${env}.`)
  const local = existsSync(FILE) ? parseEnv(readFileSync(FILE, 'utf8')).DATA_KEYS : undefined
  const keys = env ? process.env.DATA_KEYS : local
  if (!keys) throw new Error(`DATA_KEYS is not in ${FILE}: run npm start once.`)
  return keys
}

function rotate(system: System): string {
  const renewed = addKey(readDataKeys(system))
  const status = `npm run keys -- status${systemFlag(system)}`
  if (!system.env) {
    const text = readFileSync(FILE, 'utf8')
    writeFileSync(FILE, text.replace(/^\s*DATA_KEYS\s*=.*$/m, `DATA_KEYS=${renewed}`))
    return `${FILE} has a new key. Restart the server: it reseals the keys of accounts. Progress: ${status}\n`
  }
  return `Save this keyring where you keep the old one, and store it in Cloudflare:

  echo '${renewed}' | npx wrangler secret put DATA_KEYS${systemFlag(system)}

The Worker then seals the keys of accounts again, at most 400 a minute. See how far it is:

  DATA_KEYS='${renewed}' ${status}
`
}

async function status(system: System): Promise<string> {
  const [current, ...older] = keyIds(readDataKeys(system))
  const progress = await readProgress(system)
  if (!progress || progress.key !== current) return `The Worker has not begun to use ${current}.\n`
  if (!progress.done) return `The Worker is sealing the keys of accounts with ${current}.\n`
  const removable = older.length > 0 ? ` You can remove ${older.join(', ')} from DATA_KEYS.` : ''
  return `The keys of all accounts are sealed with ${current}.${removable}\n`
}

async function readProgress({ env, stateDir }: System): Promise<Resealing | null> {
  if (!env) {
    requireMigrated(stateDir)
    return withDatabases(stateDir, (_, { CACHE }) => CACHE.get<Resealing>(RESEALING, 'json'))
  }
  const command = ['kv', 'key', 'get', RESEALING, '--binding', 'CACHE', '--remote', '--env', env, '--text']
  const { stdout } = spawnSync(process.execPath, wranglerCommand(...command), {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'inherit'],
    env: wranglerEnv,
  })
  return stdout.includes('{') ? (JSON.parse(stdout.slice(stdout.indexOf('{'))) as Resealing) : null
}

const usage = {
  command: 'npm run keys',
  purpose: `Replaces the key that seals the keys of accounts. For a deployed system, set the variable DATA_KEYS to the
keyring, because Cloudflare never shows a secret again.`,
  forms: {
    rotate: 'adds a new key; the Worker seals the keys of accounts with it, step by step',
    status: 'says whether older keys are still needed',
  },
  options: systemOptions,
  examples: ['rotate', 'status', 'rotate --env production'],
} as const

await main(usage, async ({ values, positionals }) => {
  const [verb, ...rest] = positionals
  if (rest.length > 0 || (verb !== 'rotate' && verb !== 'status'))
    throw new UsageError('The arguments are: rotate, or status.')
  const system = systemOf(values)
  process.stdout.write(verb === 'rotate' ? rotate(system) : await status(system))
})

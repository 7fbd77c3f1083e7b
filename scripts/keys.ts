import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { type System, systemFlag, systemOf, systemOptions } from './cli.ts'
import { main, UsageError } from './command.ts'
import { type Query, withSystem } from './databases.ts'
import { addKey, keyIds, resealing, type Sealed, selectOutdated } from './keyring.ts'

const FILE = '.dev.vars'
const PAGE = 200

function readDataKeys({ env }: System): string {
  if (env && !process.env.DATA_KEYS) throw new Error(`Set the variable DATA_KEYS to the keyring of ${env}.`)
  const local = existsSync(FILE) ? parseEnv(readFileSync(FILE, 'utf8')).DATA_KEYS : undefined
  const keys = env ? process.env.DATA_KEYS : local
  if (!keys) throw new Error(`DATA_KEYS is not in ${FILE}: run npm start once.`)
  return keys
}

function rotate(system: System): void {
  const renewed = addKey(readDataKeys(system))
  const flag = systemFlag(system)
  if (!system.env) {
    const text = readFileSync(FILE, 'utf8')
    writeFileSync(FILE, text.replace(/^\s*DATA_KEYS\s*=.*$/m, `DATA_KEYS=${renewed}`))
    process.stdout.write(`${FILE} has a new key. Restart the server, then run: npm run keys -- reseal${flag}\n`)
    return
  }
  process.stdout.write(`Save this keyring where you keep the old one, and store it in Cloudflare:

  echo '${renewed}' | npx wrangler secret put DATA_KEYS${flag}

Once the version with the new keyring runs everywhere, reseal the stored addresses:

  DATA_KEYS='${renewed}' npm run keys -- reseal${flag}
`)
}

/** Reseals the outdated addresses page by page. After an interruption, the next run continues with the rest. */
async function reseal(query: Query, dataKeys: string): Promise<void> {
  const page = (cursor: number) => selectOutdated(dataKeys, cursor, PAGE)
  let [rows] = (await query('DIRECTORY', page(0))) as Sealed[][]
  let done = 0
  while (rows && rows.length > 0) {
    const answers = await query('DIRECTORY', `${await resealing(dataKeys, rows)};\n${page(rows.at(-1)!.id)}`)
    done += rows.length
    process.stdout.write(`${done.toLocaleString('en')} addresses resealed\n`)
    rows = answers.at(-1) as Sealed[]
  }
  const [current, ...older] = keyIds(dataKeys)
  process.stdout.write(`Every address is sealed with ${current}.\n`)
  if (older.length > 0) process.stdout.write(`You can remove ${older.join(', ')} from DATA_KEYS.\n`)
}

const usage = {
  command: 'npm run keys',
  purpose: `Replaces the key that encrypts personal data. For a deployed system, set the variable DATA_KEYS to the
keyring, because Cloudflare never shows a secret again.`,
  forms: {
    rotate: 'adds a new key, which encrypts everything from then on',
    reseal: 're-encrypts the stored addresses with the new key, so that you can remove older keys',
  },
  options: systemOptions,
  examples: ['rotate', 'reseal', 'rotate --env production'],
} as const

await main(usage, ({ values, positionals }) => {
  const [verb, ...rest] = positionals
  if (rest.length > 0 || (verb !== 'rotate' && verb !== 'reseal'))
    throw new UsageError('The arguments are: rotate, or reseal.')
  const system = systemOf(values)
  if (verb === 'rotate') return rotate(system)
  const dataKeys = readDataKeys(system)
  return withSystem(system, (query) => reseal(query, dataKeys))
})

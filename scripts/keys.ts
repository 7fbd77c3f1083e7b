import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs, parseEnv } from 'node:util'
import { execute, main, type System, systemFlag, systemOf, systemOptions } from './d1.ts'
import { addKey, resealing, type Sealed, selectOutdated } from './reseal.ts'
import { readKeyring } from './seal.ts'

const USAGE = `Renews the key that seals personal data.

  npm run keys -- rotate [--env staging|production]   adds a new key, with which everything is sealed from then on
  npm run keys -- reseal [--env staging|production]   seals anew what older keys sealed, so that they can be dropped

For a deployed system the keyring is read from the variable DATA_KEYS, since Cloudflare shows no secret again.`
const FILE = '.dev.vars'
const PAGE = 200

function readDataKeys({ env }: System): string {
  const keys = env ? process.env.DATA_KEYS : parseEnv(readFileSync(FILE, 'utf8')).DATA_KEYS
  if (!keys) throw new Error(env ? `Set the variable DATA_KEYS to the keyring of ${env}.` : `${FILE} has no DATA_KEYS.`)
  return keys
}

function rotate(system: System): void {
  const renewed = addKey(readDataKeys(system))
  if (!system.env) {
    const text = readFileSync(FILE, 'utf8')
    writeFileSync(FILE, text.replace(/^\s*DATA_KEYS\s*=.*$/m, `DATA_KEYS=${renewed}`))
    const reseal = `npm run keys -- reseal${systemFlag(system)}`
    process.stdout.write(`${FILE} has a new key. When the server has started with it: ${reseal}\n`)
    return
  }
  const flag = systemFlag(system)
  process.stdout.write(`Keep this keyring where you keep the old one, and store it:

  echo '${renewed}' | npx wrangler secret put DATA_KEYS${flag}

When that version runs everywhere, seal anew what is stored:

  DATA_KEYS='${renewed}' npm run keys -- reseal${flag}
`)
}

/** Page by page; a run that was cut off can be repeated. */
function reseal(system: System): void {
  const keyring = readKeyring(readDataKeys(system))
  const page = (cursor: number) => selectOutdated(keyring, cursor, PAGE)
  let [rows] = execute(system, 'DIRECTORY', page(0)) as Sealed[][]
  let done = 0
  while (rows && rows.length > 0) {
    const answers = execute(system, 'DIRECTORY', `${resealing(keyring, rows)};\n${page(rows.at(-1)!.id)}`)
    done += rows.length
    process.stdout.write(`${done.toLocaleString('en')} addresses\n`)
    rows = answers.at(-1) as Sealed[]
  }
  const [current, ...older] = keyring.keys()
  process.stdout.write(`Every address is sealed with ${current}.\n`)
  if (older.length > 0) process.stdout.write(`Nothing needs ${older.join(', ')} any more: take it out of DATA_KEYS.\n`)
}

await main(() => {
  const { values, positionals } = parseArgs({ options: systemOptions, allowPositionals: true })
  const [verb, ...rest] = positionals
  if (rest.length > 0 || (verb !== 'rotate' && verb !== 'reseal')) throw new Error(USAGE)
  if (verb === 'rotate') rotate(systemOf(values))
  else reseal(systemOf(values))
})

import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { type Checked, checkLog } from './audit-chain.ts'
import { type System, systemOf, systemOptions } from './cli.ts'
import { main } from './command.ts'
import { withSystem } from './databases.ts'
import { cryptoConfig } from './keyring.ts'

const FILE = '.dev.vars'

function readSecrets({ env }: System): string[] {
  if (env && !process.env.AUTH_SECRET) throw new Error(`Set the variable AUTH_SECRET to the secret of ${env}.`)
  const local = existsSync(FILE) ? parseEnv(readFileSync(FILE, 'utf8')).AUTH_SECRET : undefined
  const secret = env ? process.env.AUTH_SECRET : local
  if (!secret) throw new Error(`AUTH_SECRET is not in ${FILE}: run npm start once.`)
  return [secret, ...(process.env.OLD_AUTH_SECRETS ?? '').split('\n').filter(Boolean)]
}

function report({ chain, entries, head, gaps, faults }: Checked, explained: ReadonlySet<string>): number {
  const open = gaps.filter((gap) => !explained.has(gap))
  const lines = [
    `chain ${chain}: ${entries.toLocaleString('en')} entries${entries > 0 ? `, the last one is ${head.seq} ${head.hash}` : ''}`,
    ...faults,
    ...open.map((gap) => `entries ${gap} are missing`),
    ...gaps.filter((gap) => explained.has(gap)).map((gap) => `entries ${gap} are missing, as you explained`),
  ]
  process.stdout.write(`${lines.join('\n  ')}\n`)
  return faults.length + open.length
}

const usage = {
  command: 'npm run audit:verify',
  purpose: `Checks that no entry of the audit log was changed, removed, inserted or moved. For a deployed system, set the
variable AUTH_SECRET to its secret. If it was replaced, set OLD_AUTH_SECRETS to the earlier ones, the newest first, one per line.`,
  options: {
    gap: {
      type: 'string',
      multiple: true,
      value: 'CHAIN:FROM-TO',
      help: 'entries whose absence is explained, for example by a restored database',
    },
    ...systemOptions,
  },
  examples: ['', '--env production', '--env production --gap 3:81-100'],
} as const

await main(usage, async ({ values }) => {
  const system = systemOf(values)
  const configs = readSecrets(system).map((secret) => cryptoConfig({ AUTH_SECRET: secret }))
  const explained = new Set(values.gap ?? [])
  let [entries, faults] = [0, 0]
  await withSystem(system, async (query) => {
    for await (const checked of checkLog(query, configs)) {
      entries += checked.entries
      faults += report(checked, explained)
    }
  })
  if (faults > 0) throw new Error(`${faults} faults in the audit log. See "The audit log" in docs/runbook.md.`)
  process.stdout.write(`The audit log is complete and unchanged: ${entries.toLocaleString('en')} entries.\n`)
})

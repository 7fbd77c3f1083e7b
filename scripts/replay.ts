import { type System, systemFlag, systemOf, systemOptions, urlOption, wakeSweepers } from './cli.ts'
import { main } from './command.ts'
import { databasesOf, type Query, type Row, withSystem } from './databases.ts'

const LISTED = 50

const LIST = `SELECT queue, json_extract(body, '$.type') AS type, failed_at, replay, count(*) OVER () AS total
  FROM dead_letters ORDER BY failed_at LIMIT ${LISTED}`
const MARK = 'UPDATE dead_letters SET replay = 1 WHERE replay = 0'

/** Prints the oldest dead letters of the directory and each shard. Unless `list` is set, marks all for replay. */
async function replay(system: System, query: Query, list: boolean): Promise<number> {
  let total = 0
  for (const { binding } of await databasesOf(system.env)) {
    if (!/^(DIRECTORY|SHARD_\d+)$/.test(binding)) continue
    const [letters] = await query(binding, list ? LIST : `${LIST}; ${MARK}`)
    const count = Number(letters?.[0]?.total ?? 0)
    process.stdout.write(`${binding}: ${count === 0 ? 'none' : count}\n${(letters ?? []).map(lineOf).join('')}`)
    if (count > LISTED) process.stdout.write(`  and ${count - LISTED} more\n`)
    total += count
  }
  return total
}

function lineOf({ failed_at, queue, type, replay }: Row): string {
  return `  ${new Date(Number(failed_at)).toISOString()}  ${queue}  ${type}${replay ? '  (marked for replay)' : ''}\n`
}

function howToReplay(system: System): string {
  const flag = systemFlag(system)
  return `To replay them: npm run replay${flag && ` --${flag}`}`
}

const replayed = async (system: System, url: string) =>
  `They are marked for replay. The sweepers send them, a hundred at a time, starting ${await wakeSweepers(system, url)}.`

const usage = {
  command: 'npm run replay',
  purpose: 'Resends the dead letters: messages whose retries have all failed. Fix the cause of the failure first.',
  options: {
    list: { type: 'boolean', default: false, help: 'only lists the dead letters' },
    ...systemOptions,
    ...urlOption,
  },
  examples: ['--list', '', '--env production'],
} as const

await main(usage, async ({ values }) => {
  const system = systemOf(values)
  const total = await withSystem(system, (query) => replay(system, query, values.list))
  if (total > 0) process.stdout.write(`\n${values.list ? howToReplay(system) : await replayed(system, values.url)}\n`)
})

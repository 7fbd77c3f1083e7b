import { parseArgs } from 'node:util'
import { main, type System, systemFlag, systemOf, systemOptions, urlOption, wakeSweepers } from './cli.ts'
import { databasesOf, execute, type Row } from './databases.ts'

const LISTED = 50

const LIST = `SELECT queue, json_extract(body, '$.type') AS type, failed_at, replay, count(*) OVER () AS total
  FROM dead_letters ORDER BY failed_at LIMIT ${LISTED}`
const MARK = 'UPDATE dead_letters SET replay = 1 WHERE replay = 0'

/** Prints the oldest dead letters of the directory and each shard. Unless `list` is set, marks all for replay. */
async function replay(system: System, { list, url }: { list: boolean; url: string }): Promise<void> {
  let total = 0
  for (const { binding } of await databasesOf(system.env)) {
    if (!/^(DIRECTORY|SHARD_\d+)$/.test(binding)) continue
    const [letters] = execute(system, binding, list ? LIST : `${LIST}; ${MARK}`)
    const count = Number(letters?.[0]?.total ?? 0)
    process.stdout.write(`${binding}: ${count === 0 ? 'none' : count}\n${(letters ?? []).map(lineOf).join('')}`)
    if (count > LISTED) process.stdout.write(`  and ${count - LISTED} more\n`)
    total += count
  }
  if (total > 0) process.stdout.write(`\n${list ? howToReplay(system) : await replayed(system, url)}\n`)
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

await main(() => {
  const list = { list: { type: 'boolean', default: false } } as const
  const { values } = parseArgs({ options: { ...systemOptions, ...urlOption, ...list } })
  return replay(systemOf(values), values)
})

import { parseArgs } from 'node:util'
import {
  execute,
  main,
  type Row,
  type System,
  sources,
  systemFlag,
  systemOf,
  systemOptions,
  urlOption,
  wakeSweepers,
} from './d1.ts'

const LISTED = 50

const LIST = `SELECT queue, json_extract(body, '$.type') AS type, failed_at, replay, count(*) OVER () AS total
  FROM dead_letters ORDER BY failed_at LIMIT ${LISTED}`
const MARK = 'UPDATE dead_letters SET replay = 1 WHERE replay = 0'

type Wish = { list: boolean; url: string }

/** Lists the dead letters of every database and, unless only that was asked for, marks them to be sent again. */
async function replay(system: System, { list, url }: Wish): Promise<void> {
  let total = 0
  for (const binding of await sources(system)) {
    const [letters] = execute(system, binding, list ? LIST : `${LIST}; ${MARK}`)
    const count = Number(letters?.[0]?.total ?? 0)
    process.stdout.write(`${binding}: ${count === 0 ? 'none' : count}\n${(letters ?? []).map(lineOf).join('')}`)
    if (count > LISTED) process.stdout.write(`  and ${count - LISTED} more\n`)
    total += count
  }
  if (total > 0) process.stdout.write(`\n${list ? howToReplay(system) : await replayed(system, url)}\n`)
}

function lineOf({ failed_at, queue, type, replay }: Row): string {
  return `  ${new Date(Number(failed_at)).toISOString()}  ${queue}  ${type}${replay ? '  (marked already)' : ''}\n`
}

function howToReplay(system: System): string {
  const flag = systemFlag(system)
  return `To have them sent again: npm run replay${flag && ` --${flag}`}`
}

const replayed = async (system: System, url: string) =>
  `They are marked: the sweepers begin to send them again, a hundred at a time, ${await wakeSweepers(system, url)}.`

await main(() => {
  const { values } = parseArgs({
    options: {
      ...systemOptions,
      ...urlOption,
      list: { type: 'boolean', default: false },
    },
  })
  return replay(systemOf(values), values)
})

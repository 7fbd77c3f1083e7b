import { parseArgs } from 'node:util'
import { execute, main, type Row, type System, sources, systemFlag, systemOf, systemOptions } from './d1.ts'

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
  if (total > 0) process.stdout.write(`\n${list ? howToReplay(system) : whenReplayed(system, url)}\n`)
}

function lineOf({ failed_at, queue, type, replay }: Row): string {
  return `  ${new Date(Number(failed_at)).toISOString()}  ${queue}  ${type}${replay ? '  (marked already)' : ''}\n`
}

function howToReplay(system: System): string {
  const flag = systemFlag(system)
  return `To have them sent again: npm run replay${flag && ` --${flag}`}`
}

const whenReplayed = ({ env }: System, url: string) =>
  env
    ? 'They are marked: the Sweeper sends them again within two minutes.'
    : `They are marked: the Sweeper sends them again within seconds of the next write, or of
curl ${url}/cdn-cgi/local/scheduled`

await main(() => {
  const { values } = parseArgs({
    options: {
      ...systemOptions,
      list: { type: 'boolean', default: false },
      url: { type: 'string', default: 'http://127.0.0.1:8787' },
    },
  })
  return replay(systemOf(values), values)
})

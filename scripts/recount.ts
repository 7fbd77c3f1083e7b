import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Sketch } from '../src/services/analytics/sketch.ts'
import { type System, systemOf, systemOptions } from './cli.ts'
import { main } from './command.ts'
import { type Query, withDatabases, withSystem } from './databases.ts'
import { recount, type Stored, since } from './recount-log.ts'

/** The texts of the log, by day. */
type Log = Map<string, string[]>

function logIn(folder: string): Log {
  const files = globSync(join(folder, '**/*.ndjson'))
  if (files.length === 0) throw new Error(`${folder} has no files of the log, like 2026-11-30/….ndjson`)
  const days = Map.groupBy(files, (file) => basename(dirname(file)))
  return new Map([...days].map(([day, paths]) => [day, paths.map((path) => readFileSync(path, 'utf8'))]))
}

async function localLog({ stateDir }: System): Promise<Log> {
  const texts: Log = new Map()
  await withDatabases(stateDir, async (_, { ACTIVITY_LOG }) => {
    let cursor: string | undefined
    do {
      const page = await ACTIVITY_LOG.list({ prefix: 'log/', cursor })
      for (const { key } of page.objects) {
        const [, day = ''] = key.split('/')
        const text = (await (await ACTIVITY_LOG.get(key))?.text()) ?? ''
        texts.set(day, [...(texts.get(day) ?? []), text])
      }
      cursor = page.truncated ? page.cursor : undefined
    } while (cursor)
  })
  return texts
}

type Members = Record<string, string[]>

/** The roll-ups, with those of the slots that are not folded yet. */
async function storedIn(query: Query): Promise<Stored> {
  const [rollups = []] = await query('ANALYTICS', 'SELECT metric, bucket, key, n FROM rollups')
  const [sketches = []] = await query('ANALYTICS', 'SELECT metric, bucket, key, sketch FROM sketches')
  const [slots = []] = await query('ANALYTICS', 'SELECT counts, members FROM slots WHERE open')
  const sums = new Map(rollups.map(({ metric, bucket, key, n }) => [`${metric}|${bucket}|${key}`, Number(n)]))
  const sets = new Map(
    sketches.map(({ metric, bucket, key, sketch }) => [`${metric}|${bucket}|${key}`, new Sketch(String(sketch))]),
  )
  for (const { counts, members } of slots) {
    const added: Record<string, number> = JSON.parse(String(counts))
    for (const [name, n] of Object.entries(added)) sums.set(name, (sums.get(name) ?? 0) + n)
    const more: Members = JSON.parse(String(members))
    for (const [name, ids] of Object.entries(more)) sets.set(name, (sets.get(name) ?? new Sketch()).add(ids))
  }
  const cell = (name: string) => {
    const [metric = '', bucket = '', key = ''] = name.split('|')
    return { metric, bucket, key }
  }
  return {
    rollups: [...sums].map(([name, n]) => ({ ...cell(name), n })),
    sketches: [...sets].map(([name, { size }]) => ({ ...cell(name), size })),
  }
}

const usage = {
  command: 'npm run recount',
  purpose: `Counts the log of activities again, and compares the result with the roll-ups in ANALYTICS. For a deployed system,
first copy the objects below log/ of the bucket socialconnect-ENV-activity-log to a folder (docs/runbook.md).`,
  options: {
    log: { type: 'string', value: 'DIR', help: 'a folder with a copy of the log; required with --env' },
    ...systemOptions,
  },
  examples: ['', '--env production --log activity'],
} as const

await main(usage, async ({ values }) => {
  const system = systemOf(values)
  if (system.env && !values.log) throw new Error('Add --log DIR, a folder with a copy of the log.')
  const log = values.log ? logIn(values.log) : await localLog(system)
  const counted = recount([...log.values()].flat())
  const [firstDay = ''] = [...log.keys()].sort()
  const found = since(firstDay, counted, await withSystem(system, storedIn))
  process.stdout.write(found.map((line) => `${line}\n`).join(''))
  process.stdout.write(
    `Recounted ${counted.activities.toLocaleString('en')} facts of the log: difference ${found.length}\n`,
  )
  if (found.length > 0) throw new Error('The roll-ups differ from the log. See "Analytics" in docs/runbook.md.')
})

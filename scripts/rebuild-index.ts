import { type System, systemFlag, systemOf, systemOptions } from './cli.ts'
import { main } from './command.ts'
import { databasesOf, type Query, withSystem } from './databases.ts'

const STATUS = 'SELECT shard, stage, after FROM rebuilds ORDER BY shard'

/** Marks each shard for a rebuild, or lets it begin again. The Worker goes on from there, also after a crash. */
async function start(system: System, query: Query): Promise<string> {
  const bindings = (await databasesOf(system.env)).map(({ binding }) => /^SHARD_(\d+)$/.exec(binding)?.[1])
  const shards = bindings.filter((number) => number !== undefined)
  const rows = shards.map((shard) => `(${shard}, 'posts', 0)`).join(', ')
  await query('INDEX', `INSERT OR REPLACE INTO rebuilds (shard, stage, after) VALUES ${rows}`)
  const flag = systemFlag(system)
  return `The index is rebuilt from ${shards.length} shards, starting within a minute, while the system serves.
To see how far it is: npm run rebuild:index -- --status${flag}
`
}

async function status(query: Query): Promise<string> {
  const [rows = []] = await query('INDEX', STATUS)
  if (rows.length === 0) return 'No rebuild is under way.\n'
  return rows.map(({ shard, stage, after }) => `shard ${shard}: ${stage}, done up to ${after}\n`).join('')
}

const usage = {
  command: 'npm run rebuild:index',
  purpose: 'Rebuilds the search index and the public feed from the shards, while the system serves.',
  options: { status: { type: 'boolean', default: false, help: 'only prints how far a rebuild is' }, ...systemOptions },
  examples: ['', '--status', '--env production'],
} as const

await main(usage, async ({ values }) => {
  const system = systemOf(values)
  process.stdout.write(await withSystem(system, (query) => (values.status ? status(query) : start(system, query))))
})

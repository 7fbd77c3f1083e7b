import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { Config } from '../src/platform/config.ts'
import { systemOptions } from './cli.ts'
import { main, type Parsed, UsageError } from './command.ts'
import { requireMigrated, withDatabases } from './databases.ts'
import { cryptoConfig, keyIds } from './keyring.ts'
import { accountRows, type Community, DAY_MS, followRows, makeCommunity } from './seed/community.ts'
import { conversations } from './seed/conversations.ts'
import { growGraph, readGraph } from './seed/graph.ts'
import { loginRows, PASSWORD } from './seed/logins.ts'
import { makeProgress } from './seed/progress.ts'
import { makeRandom } from './seed/random.ts'
import { makeWriter, writeAtOnce } from './seed/writer.ts'

type Settings = {
  people: number
  posts: number
  graphFile?: string
  randomSeed: number
  until: number
  stateDir: string
}

const usage = {
  command: 'npm run seed',
  purpose: 'Fills the local system with a community, and prints how to log in. The server may be running or not.',
  options: {
    people: { type: 'string', default: '1000', value: 'NUMBER', help: 'how many people' },
    posts: { type: 'string', default: '20000', value: 'NUMBER', help: 'how many posts' },
    graph: {
      type: 'string',
      value: 'FILE',
      help: 'a file, plain or gzipped, with two names per line: these people follow each other. Replaces --people',
    },
    'random-seed': {
      type: 'string',
      default: '1',
      value: 'NUMBER',
      help: 'the same number on the same day makes the same community',
    },
    until: {
      type: 'string',
      value: 'DATE',
      help: 'all activity ends before this day, for example 2026-01-31; by default today',
    },
    'persist-to': systemOptions['persist-to'],
  },
  examples: ['', '--people 50 --posts 500', '--graph friends.txt.gz', '--random-seed 2'],
} as const

type Values = Parsed<typeof usage.options>['values']

function readSettings(values: Values): Settings {
  const count = (name: 'people' | 'posts' | 'random-seed', min: number) => {
    const number = Number(values[name])
    if (!Number.isSafeInteger(number) || number < min)
      throw new UsageError(`--${name} takes an integer of at least ${min}.`)
    return number
  }
  const until = values.until === undefined ? Date.now() : Date.parse(values.until)
  if (Number.isNaN(until) || until < Date.UTC(2026, 0, 1)) throw new UsageError('--until takes a day after 2025-12-31.')
  return {
    people: count('people', 2),
    posts: count('posts', 0),
    graphFile: values.graph,
    randomSeed: count('random-seed', 0),
    until: Math.floor(until / DAY_MS) * DAY_MS,
    stateDir: values['persist-to'],
  }
}

async function seed(settings: Settings): Promise<void> {
  requireMigrated(settings.stateDir)
  const config = readKeys()
  await withDatabases(settings.stateDir, async (databases, { KEYS }) => {
    const community = await plan(settings, databases)
    const written = await fill(databases, KEYS, community, config)
    process.stdout.write(report(community, written))
  })
}

function readKeys(): Config {
  const local = existsSync('.dev.vars') ? parseEnv(readFileSync('.dev.vars', 'utf8')) : {}
  const { DATA_KEYS, INDEX_KEY } = { ...local, ...process.env }
  if (!DATA_KEYS || !INDEX_KEY) throw new Error('DATA_KEYS and INDEX_KEY are not in .dev.vars: run npm start once.')
  keyIds(DATA_KEYS) // throws unless the keyring is valid
  return cryptoConfig({ DATA_KEYS, INDEX_KEY })
}

async function plan(settings: Settings, databases: Record<string, D1Database>): Promise<Community> {
  const { unstable_readConfig } = await import('wrangler')
  const { vars } = unstable_readConfig({ config: 'wrangler.toml' })
  const random = makeRandom(settings.randomSeed)
  const graph = settings.graphFile ? readGraph(settings.graphFile) : growGraph(random, settings.people)
  const { results } = await databases.DIRECTORY!.prepare('SELECT handle FROM handles').all<{ handle: string }>()
  const community = makeCommunity({
    ...settings,
    graph,
    random,
    openShards: String(vars.OPEN_SHARDS).split(',').map(Number),
    shards: Object.keys(databases).flatMap((name) => /^SHARD_(\d+)$/.exec(name)?.slice(1).map(Number) ?? []),
    taken: new Set(results.map(({ handle }) => handle)),
  })
  const [first] = community.people
  const known = await databases.DIRECTORY!.prepare('SELECT id FROM users WHERE id = ?').bind(Number(first!.id)).first()
  if (known) throw new Error('This community exists already: choose another, for example --random-seed 2')
  return community
}

/** Writes the logins last, in one batch. Until they exist, the same command continues an interrupted run. */
async function fill(databases: Record<string, D1Database>, keys: R2Bucket, community: Community, config: Config) {
  const started = performance.now()
  const writer = makeWriter(databases)
  const progress = makeProgress(community.posts, started)
  for (const entry of followRows(community)) await writer.add(entry)
  let posts = 0
  for (const entries of conversations(community)) {
    for (const entry of entries) await writer.add(entry)
    progress.show(++posts, writer.added)
  }
  for (const entry of accountRows(community)) await writer.add(entry)
  await writer.flush()
  const logins = await writeAtOnce(databases, await loginRows(community, config, keys))
  progress.end()
  return { rows: writer.added + logins, seconds: (performance.now() - started) / 1_000 }
}

function report({ people, posts }: Community, { rows, seconds }: { rows: number; seconds: number }): string {
  const known = people.toSorted((a, b) => b.followers.length - a.followers.length)
  const [best, middle] = [known[0]!, known[Math.floor(known.length / 2)]!]
  const number = (n: number) => Math.round(n).toLocaleString('en')
  const { length } = best.followers
  return `${number(people.length)} people and ${number(posts)} posts: ${number(rows)} rows in ${seconds.toFixed(1)} s, ${number(rows / seconds)} per second.

  Log in as @${best.handle} (${number(length)} followers) or @${middle.handle} (${number(middle.followers.length)} followers).
  Everyone's password is: ${PASSWORD}
`
}

await main(usage, ({ values }) => seed(readSettings(values)))

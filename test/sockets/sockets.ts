import { rmSync } from 'node:fs'
import { parseCommand } from '../../scripts/command.ts'
import { type Figure, printFigures, updateFigures } from '../bench/figures.ts'
import { makeStateDir } from '../support/state-dir.ts'
import { Audience } from './audience.ts'
import { measureCapacity } from './capacity.ts'
import { figuresOf } from './goals.ts'
import { measureFrames, measureOpening, measureStorm, type Pair } from './phases.ts'
import { productVenue, rawVenue, type Stage, setStage } from './stage.ts'

process.env.WRANGLER_LOG ??= 'none'
const { values } = parseCommand({
  command: 'npm run test:sockets',
  purpose: `Opens sockets of followers on the built Worker and on a bare broadcast, posts, and measures both. Fails if a client
misses a frame or gets one twice, or if a reconnection of a known account reads a database or writes a row.`,
  options: {
    online: { type: 'string', default: '1000', value: 'NUMBER', help: 'how many followers are online' },
    posts: { type: 'string', default: '10', value: 'NUMBER', help: 'how many posts are measured' },
    asleep: { type: 'string', default: '4', value: 'NUMBER', help: 'how many posts follow a silence of 13 s' },
    capacity: {
      type: 'string',
      default: '9500',
      value: 'NUMBER',
      help: 'how many sockets are held at once; 0 skips it',
    },
    update: { type: 'boolean', default: false, help: 'writes the results to docs/figures.md' },
  },
  examples: ['', '--online 100 --posts 3 --asleep 0 --capacity 0'],
})
const [online, posts, asleep, capacity] = [values.online, values.posts, values.asleep, values.capacity].map(Number) as [
  number,
  number,
  number,
  number,
]
const ROOM = '/everyone'
const say = (text: string) => void process.stderr.write(`${text}\n`)

/** The figures, and how many frames were missed or repeated and what a reconnection used: all of these should be 0. */
async function run(stage: Stage): Promise<{ figures: Figure[]; flaws: Record<string, number> }> {
  const pair: Pair = {
    product: new Audience(await productVenue(stage)),
    raw: new Audience(await rawVenue(stage, ROOM)),
  }
  say(`Opening ${online} sockets on each`)
  const opening = await measureOpening(stage, pair, { count: online, silence: asleep > 0 })
  say('Reconnecting all of them within two seconds')
  const storm = await measureStorm(stage, pair.product, online)
  say(`${posts} posts to those who are awake, ${asleep} to those who sleep`)
  const awake = await measureFrames(stage, pair, { room: ROOM, posts, silence: false })
  const sleeping = await measureFrames(stage, pair, { room: ROOM, posts: asleep, silence: true })
  await Promise.all([pair.product.close(), pair.raw.close()])
  say('One follower')
  const alone: Pair = {
    product: new Audience({ ...pair.product.venue, addressOf: () => pair.product.venue.addressOf(0) }),
    raw: new Audience(await rawVenue(stage, '/one')),
  }
  await Promise.all([alone.product.open(1, 1), alone.raw.open(1, 1)])
  const one = await measureFrames(stage, alone, { room: '/one', posts: posts * 3, silence: false, token: stage.friend })
  await Promise.all([alone.product.close(), alone.raw.close()])
  if (capacity > 0) say(`Opening ${capacity} sockets, or as many as the limit of open files allows`)
  const most = capacity > 0 ? await measureCapacity(stage, capacity, pair.product.venue) : null
  const audiences = [pair.product, pair.raw, alone.product, alone.raw, ...(most ? [most.audience] : [])]
  const found = audiences.map((audience) => audience.flaws())
  const sum = (kind: 'missing' | 'repeated') => found.reduce((total, flaws) => total + flaws[kind], 0)
  return {
    figures: figuresOf({ online, opening, storm, awake, sleeping, one, most: most?.capacity ?? null }),
    flaws: {
      'frames missing': sum('missing'),
      'frames repeated': sum('repeated'),
      'D1 round trips of reconnections': storm.trips,
      'rows written by reconnections': storm.rowsWritten,
    },
  }
}

const stateDir = makeStateDir('sockets')
const stage = await setStage(stateDir, online)
try {
  const { figures, flaws } = await run(stage)
  printFigures(figures)
  for (const [what, n] of Object.entries(flaws)) say(`  ${n === 0 ? 'ok  ' : 'FAIL'} ${n} ${what}`)
  if (Object.values(flaws).some((n) => n > 0)) process.exitCode = 1
  else if (values.update) updateFigures('sockets', figures)
} finally {
  await stage.stop()
  rmSync(stateDir, { recursive: true })
}

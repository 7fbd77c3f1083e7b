import { atMost, type Figure } from '../bench/figures.ts'
import type { Capacity } from './capacity.ts'
import type { Frames, Opening } from './phases.ts'

type Both<T> = { product: T; raw: T }
type Measured = {
  online: number
  opening: Both<Opening>
  storm: { p95: number; cpu: number; trips: number; rowsWritten: number }
  awake: Both<Frames | null>
  sleeping: Both<Frames | null>
  one: Both<Frames | null>
  most: Capacity | null
}

/** 115 KB. */
const MOST_MEMORY = 112

const round = (value: number, digits = 0) => Number(value.toFixed(digits))
const ms = (value: number) => `${round(value, 1)} ms`
const times = ({ p50, p95, max }: { p50: number; p95: number; max: number }) =>
  `p50 ${round(p50, 1)}, p95 ${round(p95, 1)}, max ${round(max, 1)} ms`

/** The table of `npm run test:sockets`. The goals of time and memory are those for 1,000 online followers. */
export function figuresOf({ online, opening, storm, awake, sleeping, one, most }: Measured): Figure[] {
  return [
    ...framesOf(`from a post to ${online} sockets`, awake, { p95: 2.3 * (awake.raw?.p95 ?? 0) }),
    ...(awake.product && awake.raw ? costOf(awake.product, awake.raw) : []),
    ...framesOf(`from a post to ${online} sockets, all asleep`, sleeping, { p95: 2 * (sleeping.raw?.p95 ?? 0) }),
    ...framesOf('from a post to one follower', one, { p50: 12, p95: 20 }),
    {
      what: 'memory of a socket',
      value: `${round(opening.product.memory)} KiB`,
      baseline: `${round(opening.raw.memory)} KiB`,
      ...atMost(round(opening.product.memory), MOST_MEMORY, ' KiB'),
    },
    {
      what: 'CPU of the first opening of an account',
      value: `${round(opening.product.cpu)} µs, p95 ${ms(opening.product.p95)}`,
      baseline: `${round(opening.raw.cpu)} µs, p95 ${ms(opening.raw.p95)}`,
      isMet: null,
    },
    {
      what: `${online} reconnections within two seconds`,
      value: `${round(storm.cpu)} µs each, p95 ${ms(storm.p95)}`,
      isMet: null,
    },
    { what: 'D1 round trips of these', value: `${storm.trips}`, ...atMost(storm.trips, 0) },
    { what: 'rows written by these', value: `${storm.rowsWritten}`, ...atMost(storm.rowsWritten, 0) },
    ...(most ? capacityOf(most) : []),
  ]
}

type Limits = { p50?: number; p95: number }

function framesOf(what: string, { product, raw }: Both<Frames | null>, { p50, p95 }: Limits): Figure[] {
  if (!product || !raw) return []
  const goal = p50 === undefined ? `p95 at most ${ms(p95)}` : `p50 at most ${ms(p50)}, p95 ${ms(p95)}`
  const isMet = product.p50 <= (p50 ?? p95) && product.p95 <= p95
  return [{ what, value: times(product), baseline: times(raw), goal, isMet }]
}

const costOf = (product: Frames, raw: Frames): Figure[] => [
  {
    what: 'CPU of a frame',
    value: `${round(product.cpu)} µs`,
    baseline: `${round(raw.cpu)} µs`,
    ...atMost(round(product.cpu), 60, ' µs'),
  },
  {
    what: 'rows written by hubs for a frame',
    value: `${round(product.rows, 4)}`,
    ...atMost(round(product.rows, 4), 0.01),
  },
]

const capacityOf = ({ sockets, files, memory, p95, max }: Capacity): Figure[] => [
  {
    what: 'sockets held by one workerd',
    value: `${sockets}, ${files} open files`,
    goal: 'at least 9500',
    isMet: sockets >= 9_500,
  },
  { what: 'memory of each', value: `${round(memory)} KiB`, ...atMost(round(memory), MOST_MEMORY, ' KiB') },
  {
    what: 'from a post to all of them',
    value: `p95 ${ms(p95)}, max ${ms(max)}`,
    ...atMost(round(p95), 500, ' ms (p95)'),
  },
]

import type { Id } from '../../src/platform/data/ids.ts'
import { cities, names, trades } from './names.ts'
import type { Random } from './random.ts'
import { sample } from './random.ts'
import { topics } from './topics.ts'

/** A member of the community. `follows` and `followers` are indexes of people, `interests` are indexes of `topics`. */
export type Person = {
  id: Id
  shard: number
  handle: string
  displayName: string
  bio: string
  joinedAt: number
  interests: number[]
  follows: readonly number[]
  followers: number[]
  postCount: number
  publicPostCount: number
}

/** Makes a name, interests, a bio, and a handle that is not in `taken`. Adds the handle to `taken`. */
export function makeProfile(random: Random, taken: Set<string>) {
  const { given, family } = random.pick(names)
  const [first, last] = [random.pick(given), random.pick(family)]
  const interests = sample(random, [...topics.keys()], 2 + random.below(3))
  return {
    displayName: `${first} ${last}`,
    handle: freeHandle(random, first, last, taken),
    interests,
    bio: makeBio(random, interests),
  }
}

function freeHandle(random: Random, first: string, last: string, taken: Set<string>): string {
  const [f, l] = [plain(first), plain(last)]
  const wished = random.pick([`${f}_${l}`, `${f}${l}`, `${f[0]}${l}`, `${f}_${l[0]}`, `${l}_${f}`]).padEnd(3, '_')
  let handle = wished
  for (let n = 2; taken.has(handle); n++) handle = `${wished}${n}`
  taken.add(handle)
  return handle
}

/** The letters of a name that are allowed in a handle, without diacritics. */
function plain(name: string): string {
  const letters = name.replaceAll('ø', 'o').normalize('NFD').toLowerCase()
  return letters.replace(/[^a-z]/g, '')
}

function makeBio(random: Random, interests: number[]): string {
  if (random.chance(0.1)) return ''
  const [city, trade] = [random.pick(cities), random.pick(trades)]
  const [one, two] = interests.map((number) => topics[number]!)
  const start = random.pick([
    `${capitalized(trade)} in ${city}`,
    `${capitalized(trade)}`,
    `${city}`,
    `From ${city}, ${/^[aeiou]/.test(trade) ? 'an' : 'a'} ${trade}`,
  ])
  const rest = random.pick([`${one!.bio}`, `${one!.bio}, ${two!.bio}`, `#${one!.tag} and #${two!.tag}`])
  return `${start}. ${capitalized(rest)}.`
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

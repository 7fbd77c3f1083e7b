import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Random } from './random.ts'

/** At the index of each person, the indexes of the people whom that person follows. */
export type Graph = readonly (readonly number[])[]

const MAX_FOLLOWED_ON_ARRIVAL = 16
const FOLLOW_BACK = 0.35
const THROUGH_A_FRIEND = 0.5

/**
 * A scale-free network (Barabási and Albert 1999, with the triads of Holme and Kim 2002). Each newcomer picks people,
 * preferably those with many followers, and follows them. Some of the picked people follow the newcomer back. The
 * newcomer also follows some of the accounts that the picked people follow.
 */
export function growGraph(random: Random, people: number): Graph {
  const follows: number[][] = Array.from({ length: people }, () => [])
  const pairs = new Set<number>()
  // Contains everyone once, and once more per follower, so that a random pick prefers people with many followers.
  const urn: number[] = []
  const follow = (follower: number, followee: number) => {
    const pair = follower * people + followee
    if (follower === followee || pairs.has(pair)) return
    pairs.add(pair)
    follows[follower]!.push(followee)
    urn.push(followee)
  }
  for (let newcomer = 0; newcomer < people; newcomer++) {
    const wanted = Math.min(newcomer, 2 + random.below(MAX_FOLLOWED_ON_ARRIVAL - 1))
    while (follows[newcomer]!.length < wanted) {
      const chosen = random.pick(urn)
      follow(newcomer, chosen)
      if (random.chance(FOLLOW_BACK)) follow(chosen, newcomer)
      const friends = follows[chosen]!
      const followsFriend = friends.length > 0 && random.chance(THROUGH_A_FRIEND) && follows[newcomer]!.length < wanted
      if (followsFriend) follow(newcomer, random.pick(friends))
    }
    urn.push(newcomer)
  }
  return follows
}

/**
 * Reads an edge list, plain or gzipped: two names per line; lines that start with `#` are comments. The two people of a
 * line follow each other. People are numbered in order of appearance.
 */
export function readGraph(file: string): Graph {
  const bytes = readFileSync(file)
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString()
  const numbers = new Map<string, number>()
  const follows: Set<number>[] = []
  const numberOf = (name: string) => {
    const number = numbers.get(name) ?? follows.push(new Set()) - 1
    numbers.set(name, number)
    return number
  }
  for (const [at, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const names = line.trim().split(/[\s,;]+/)
    if (names.length < 2) throw new Error(`${file}:${at + 1} is not a pair: ${line.slice(0, 80)}`)
    const [one, other] = [numberOf(names[0]!), numberOf(names[1]!)]
    if (one === other) continue
    follows[one]!.add(other)
    follows[other]!.add(one)
  }
  if (follows.length === 0) throw new Error(`${file} contains no pairs`)
  return follows.map((set) => [...set])
}

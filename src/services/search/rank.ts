import type { Id } from '../../platform/data/ids.ts'
import { wordsOf } from './snippets.ts'

const K1 = 1.2
const B = 0.75

type Scored = { id: Id; post: { text: string } }

/** Okapi BM25 with the usual constants. All posts have all words, so no word is rarer than another. */
export function byScore<T extends Scored>(found: readonly T[], texts: readonly string[]): T[] {
  const wanted = texts.map(wordsOf)
  const lists = new Map(found.map(({ id, post }) => [id, wordsOf(post.text)]))
  const average = [...lists.values()].reduce((sum, { length }) => sum + length, 1) / Math.max(1, lists.size)
  const scoreOf = ({ id }: Scored) => {
    const list = lists.get(id) ?? []
    const most = K1 * (1 - B + (B * list.length) / average)
    const counts = wanted.map((words) => list.filter((word) => words.includes(word)).length / Math.max(1, words.length))
    return counts.reduce((sum, count) => sum + (count * (K1 + 1)) / (count + most), 0)
  }
  const scores = new Map(found.map((each) => [each.id, scoreOf(each)]))
  return found.toSorted((a, b) => (scores.get(b.id) ?? 0) - (scores.get(a.id) ?? 0) || Number(b.id) - Number(a.id))
}

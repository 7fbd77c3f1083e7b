import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { documentOf } from '../../../src/services/search/documents.ts'
import { PostSearchQuery, searchPosts } from '../../../src/services/search/posts.ts'
import { tokensOf } from '../../../src/services/search/tokens.ts'
import { accountsOn } from '../../support/actors.ts'
import { insertRows, shards } from '../../support/databases.ts'
import { seedPosts } from '../../support/seed.ts'
import { asAnonymous } from '../../support/viewers.ts'

const topics =
  'analytical engine,green tea,night train,paper maps,rye bread,cold harbor,piano lesson,garden snails,winter light,chess opening,river ferry,old printer,mountain hut,東京 タワー,зимний лес,café crème,solar panels,bike repair,open letter,sea glass'.split(
    ',',
  )
/** What is relevant mentions the topic often and in few words; what is not has one of its words at most. */
const templates: [grade: number, text: (topic: string, word: string) => string][] = [
  [3, (topic) => `${topic}: my notes on the ${topic}`],
  [3, (topic) => `All about the ${topic}, and why every ${topic} matters`],
  [3, (topic) => `The ${topic}. A short guide to the ${topic}`],
  [2, (topic) => `Yesterday I saw a ${topic} and liked it`],
  [2, (topic) => `Who else is fond of the ${topic}?`],
  [
    1,
    (topic) => `A long day with friends, a walk along the canal, some soup, a nap, and in passing a ${topic} somewhere`,
  ],
  [
    1,
    (topic) =>
      `This week: letters to write, a leaking tap, two films, a visit from my aunt, one ${topic}, and rain again`,
  ],
  [0, (_, word) => `Just ${word}, nothing else about it today`],
  [0, (_, word) => `I never understood ${word} at all, and neither did my neighbours`],
  [0, () => 'The weather is grey, the kettle is on, and the cat sleeps'],
]
const DOCUMENTS = topics.flatMap((topic) =>
  templates.map(([grade, text]) => ({ topic, grade, text: text(topic, topic.split(' ')[0]!) })),
)
const QUERIES = topics.flatMap((topic) => [topic, topic.split(' ').reverse().join(' ')].map((q) => ({ topic, q })))

function ndcg(grades: number[], all: number[]): number {
  const gain = (list: number[]) =>
    list.slice(0, 10).reduce((sum, grade, i) => sum + (2 ** grade - 1) / Math.log2(i + 2), 0)
  return gain(grades) / gain(all.toSorted((a, b) => b - a))
}

const words = (text: string) => tokensOf(text.normalize('NFD').replace(/\p{M}/gu, '')).map(({ token }) => token)

/** Okapi BM25 with the usual constants, over all documents. */
function standard(q: string): number[] {
  const lists = DOCUMENTS.map(({ text }) => words(text))
  const average = lists.reduce((sum, { length }) => sum + length, 0) / lists.length
  const wanted = words(q)
  const scores = lists.map((list, i) => {
    const score = wanted.reduce((sum, word) => {
      const n = lists.filter((other) => other.includes(word)).length
      const frequency = list.filter((other) => other === word).length
      const idf = Math.log(1 + (lists.length - n + 0.5) / (n + 0.5))
      return sum + (idf * frequency * 2.2) / (frequency + 1.2 * (0.25 + (0.75 * list.length) / average))
    }, 0)
    return { i, score }
  })
  return scores
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ i }) => i)
}

test('the best matches are as good as those of a standard BM25: 200 documents, 40 queries', async () => {
  const [author] = await accountsOn(0)
  const ids = await seedPosts(DOCUMENTS.map(() => author))
  const places = new Map(ids.map((id, i) => [id, i]))
  const plain = { authorId: author, entities: [], media: [], rootId: null, handle: 'ada' }
  for (const [i, id] of ids.entries()) {
    const { text } = DOCUMENTS[i]!
    await shards[0].prepare('update posts set text = ? where id = ?').bind(text, Number(id)).run()
    const { id: rowid, ...row } = documentOf({ id, text, ...plain })
    await insertRows(env.INDEX, 'post_search', [{ rowid: Number(rowid), ...row }])
  }
  expect([DOCUMENTS.length, QUERIES.length]).toEqual([200, 40])
  const [ours, theirs] = [[] as number[], [] as number[]]
  for (const { topic, q } of QUERIES) {
    const gradeOf = (i: number) => (DOCUMENTS[i]!.topic === topic ? DOCUMENTS[i]!.grade : 0)
    const all = DOCUMENTS.map((_, i) => gradeOf(i))
    const { items } = await searchPosts(asAnonymous(), PostSearchQuery.parse({ q, order: 'best', limit: '10' }))
    ours.push(
      ndcg(
        items.map(({ id }) => gradeOf(places.get(id)!)),
        all,
      ),
    )
    theirs.push(ndcg(standard(q).map(gradeOf), all))
  }
  const mean = (list: number[]) => list.reduce((sum, each) => sum + each, 0) / list.length
  expect(mean(ours) / mean(theirs)).toBeGreaterThanOrEqual(0.95)
})

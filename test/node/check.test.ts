import { expect, test } from 'vitest'
import { docProblems, evidenceProblems, topLevelProblems } from '../../scripts/check.ts'
import { boundaryProblems } from '../../scripts/check-boundaries.ts'
import { commentProblems, subjectProblems } from '../../scripts/check-prose.ts'

const importing = (from: string, line: string) => boundaryProblems({ [from]: `${line}\n` })

test.each([
  ['src/platform/db.ts', "import { posts } from '../services/posts/tables.ts'"],
  ['src/platform/db.ts', "let a: import('../services/posts/tables.ts').Post"],
  ['src/services/feed/home.ts', "import { likePost } from '../posts/likes.ts'"],
  ['src/services/feed/home.ts', "import {\n  likePost,\n} from '../posts/likes.ts'"],
  ['src/services/feed/home.ts', "const { likePost } = await import('../posts/likes.ts')"],
  ['src/services/feed/home.ts', "export { likePost } from '../posts/likes.ts'"],
  ['src/services/feed/home.ts', "import { feedOperations } from './operations.ts'"],
  ['src/services/feed/home.ts', "import { registry } from '../../registry.ts'"],
  ['src/services/feed/home.ts', "import '../../web/main.tsx'"],
  ['src/services/feed/home.ts', "import { schema } from '../../surfaces/graphql/schema.ts'"],
  ['src/surfaces/graphql/schema.ts', "import { app } from '../../app.ts'"],
  ['src/client/calls.ts', "import type { Post } from '../services/posts/views.ts'"],
  ['src/app.ts', "import { feedOperations } from './services/feed/operations.ts'"],
  ['src/app.ts', "import { feedPersonal } from './services/feed/personal.ts'"],
  ['src/app.ts', "import { UserHub } from './platform/user-hub.object.ts'"],
])('%s may not contain %s', (from, line) => {
  expect(importing(from, line)).toEqual([expect.stringContaining(`${from} imports src/`)])
})

test.each([
  ['src/platform/db.ts', "import { Id } from './ids.ts'"],
  ['src/services/feed/home.ts', "import { posts } from '../posts/tables.ts'"],
  ['src/services/feed/home.ts', "import { exportedPosts } from '../posts/queries.ts'"],
  ['src/services/feed/home.ts', "import { postVariables } from '../posts/variables.ts'"],
  ['src/services/feed/home.ts', "import { rank } from './rank.ts'"],
  ['src/services/feed/home.ts', "import { z } from 'zod'\nimport { Id } from '../../platform/ids.ts'"],
  ['src/surfaces/graphql/schema.ts', "import { likePost } from '../../services/posts/likes.ts'"],
  ['src/surfaces/graphql/schema.ts', "import { postGraph } from '../../services/posts/graph.ts'"],
  ['src/app.ts', "import { graphql } from './surfaces/graphql/graphql.ts'"],
  ['src/registry.ts', "import { feedOperations } from './services/feed/operations.ts'"],
  ['src/eager.ts', "import { feedOperations } from './services/feed/operations.ts'"],
  ['src/registry.ts', "import { postOperations } from './services/posts/operations.ts'"],
  ['src/worker.ts', "export { UserHub } from './platform/user-hub.object.ts'"],
])('%s may contain %s', (from, line) => {
  expect(importing(from, line)).toEqual([])
})

test.each(['db.update(accounts)', 'db.insert(accounts).values(row)', 'db.delete(accounts)'])(
  'a service may call %s only on its own table',
  (call) => {
    const source = `import { accounts } from '../accounts/tables.ts'\n\n${call}\n`
    expect(boundaryProblems({ 'src/services/notifications/notifications.ts': source })).toEqual([
      expect.stringMatching(/^src\/services\/notifications\/notifications\.ts:3 writes a table of accounts/),
    ])
    const own = source.replace('../accounts/tables.ts', './tables.ts')
    expect(boundaryProblems({ 'src/services/accounts/statements.ts': own })).toEqual([])
  },
)

test('a service may read a table of another service, and an import alias does not hide a write to that table', () => {
  const read = "import { accounts } from '../accounts/tables.ts'\ndb.select().from(accounts)\nnew Map().delete(id)\n"
  expect(importing('src/services/feed/home.ts', read)).toEqual([])
  const renamed = "import { accounts as people } from '../accounts/tables.ts'\ndb.update(people)"
  const whole = "import * as tables from '../accounts/tables.ts'\ndb.update(tables.accounts)"
  for (const text of [renamed, whole]) expect(importing('src/services/feed/home.ts', text)).toHaveLength(1)
})

test('a document may cite only existing paths', () => {
  const exists = (path: string) => ['src/platform/data/ids.ts', 'docs/storage.md'].includes(path)
  const good =
    'See `src/platform/data/ids.ts:12`, `npm start`, [tables](storage.md#posts) and [Hono](https://hono.dev).'
  expect(docProblems({ 'docs/architecture.md': good }, exists)).toEqual([])
  expect(docProblems({ 'docs/architecture.md': '`src/gone.ts` and [gone](adr/gone.md)' }, exists)).toEqual([
    'docs/architecture.md cites src/gone.ts, which does not exist',
    'docs/architecture.md cites docs/adr/gone.md, which does not exist',
  ])
})

test('a test that a document names as evidence must exist', () => {
  const tests = { 'test/a.test.ts': "test('likes are counted once', () => {})" }
  expect(evidenceProblems({ 'docs/a.md': 'See `test/a.test.ts` "likes are counted once".' }, tests)).toEqual([])
  const gone = '`test/a.test.ts` "likes are counted once", "likes are free"; `test/b.test.ts` "likes"'
  expect(evidenceProblems({ 'docs/a.md': gone }, tests)).toEqual([
    'docs/a.md names the test "likes are free", which test/a.test.ts does not have',
    'docs/a.md names the test "likes", which test/b.test.ts does not have',
  ])
})

test('only listed files and folders may be at the top level', () => {
  expect(topLevelProblems(['src', 'package.json', 'LICENSE', '.ci', 'dist'])).toEqual([])
  expect(topLevelProblems(['utils', 'vitest.config.ts'])).toHaveLength(2)
})

test('commit subjects begin with an allowed word and have at most 72 characters', () => {
  const good = ['Add likes', 'Speed up the home feed', 'Merge branch a', `Fix ${'x'.repeat(68)}`]
  expect(subjectProblems(good)).toEqual([])
  for (const subject of ['Added likes', 'Address likes', 'add likes', `Fix ${'x'.repeat(69)}`]) {
    expect(subjectProblems([subject])).toHaveLength(1)
  }
})

test('a code comment has at most three lines', () => {
  const path = 'src/services/posts/likes.ts'
  const block = (lines: number) => `let a = 1\n/**\n${' * text\n'.repeat(lines)} */\n`
  const consecutive = (lines: number) => `${'// text\n'.repeat(lines)}let a = 1 // text\n`
  for (const text of [block(3), consecutive(3), `${consecutive(2)}${consecutive(2)}`]) {
    expect(commentProblems({ [path]: text })).toEqual([])
  }
  expect(commentProblems({ [path]: block(4) })).toEqual([`${path}:2 has a comment of 4 lines; at most 3`])
  expect(commentProblems({ [path]: consecutive(4) })).toEqual([`${path}:1 has a comment of 4 lines; at most 3`])
})

import { expect, test } from 'vitest'
import { boundaryProblems, docProblems, topLevelProblems } from '../../scripts/check.ts'

const importing = (from: string, line: string) => boundaryProblems({ [from]: `${line}\n` })

test.each([
  ['src/platform/data/databases.ts', "import { posts } from '../services/posts/tables.ts'"],
  ['src/services/feed/home.ts', "import { likePost } from '../posts/likes.ts'"],
  ['src/services/feed/home.ts', "import {\n  likePost,\n} from '../posts/likes.ts'"],
  ['src/services/feed/home.ts', "const { likePost } = await import('../posts/likes.ts')"],
  ['src/services/feed/home.ts', "export { likePost } from '../posts/likes.ts'"],
  ['src/services/feed/home.ts', "import { routes } from './routes.ts'"],
  ['src/services/feed/home.ts', "import { registry } from '../../registry.ts'"],
  ['src/services/feed/home.ts', "import '../../web/main.tsx'"],
  ['src/app.ts', "import { feedRoutes } from './services/feed/routes.ts'"],
  ['src/app.ts', "import { UserHub } from './platform/user-hub.object.ts'"],
])('%s may not say %s', (from, line) => {
  expect(importing(from, line)).toEqual([expect.stringContaining(`${from} imports src/`)])
})

test.each([
  ['src/platform/data/databases.ts', "import { Id } from './ids.ts'"],
  ['src/platform/config.ts', "import type { UserHub } from './user-hub.object.ts'"],
  ['src/services/feed/home.ts', "import { posts } from '../posts/tables.ts'"],
  ['src/services/feed/home.ts', "import { rank } from './rank.ts'"],
  ['src/services/feed/home.ts', "import { z } from 'zod'\nimport { Id } from '../../platform/ids.ts'"],
  ['src/registry.ts', "import { feedRoutes } from './services/feed/routes.ts'"],
  ['src/worker.ts', "export { UserHub } from './platform/user-hub.object.ts'"],
])('%s may say %s', (from, line) => {
  expect(importing(from, line)).toEqual([])
})

test('a document may cite only what exists', () => {
  const exists = (path: string) => ['src/platform/data/ids.ts', 'docs/storage.md'].includes(path)
  const good =
    'See `src/platform/data/ids.ts:12`, `npm start`, [tables](storage.md#posts) and [Hono](https://hono.dev).'
  expect(docProblems({ 'docs/architecture.md': good }, exists)).toEqual([])
  expect(docProblems({ 'docs/architecture.md': '`src/gone.ts` and [gone](adr/gone.md)' }, exists)).toEqual([
    'docs/architecture.md cites src/gone.ts, which does not exist',
    'docs/architecture.md cites docs/adr/gone.md, which does not exist',
  ])
})

test('nothing else stands at the top level', () => {
  expect(topLevelProblems(['src', 'package.json', 'LICENSE', '.ci', 'dist'])).toEqual([])
  expect(topLevelProblems(['utils', 'vitest.config.ts'])).toHaveLength(2)
})

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { boundaryProblems } from './check-boundaries.ts'
import { commentProblems, readSubjects, subjectProblems } from './check-prose.ts'
import { main } from './command.ts'
import { read, type Sources } from './source-files.ts'

/** One sentence for each path that a document cites, in backticks or as a relative link, and that does not exist. */
export function docProblems(docs: Sources, exists: (path: string) => boolean): string[] {
  return Object.entries(docs).flatMap(([doc, text]) => {
    const quoted = [...text.matchAll(/`((?:src|test|scripts|docs|migrations|\.ci|\.github)\/[\w./-]+)(?::\d+)?`/g)]
    const links = [...text.matchAll(/\]\((?!\w+:|#)([^)\s#]+)[^)]*\)/g)]
    const cited = [...quoted.map(([, path]) => path!), ...links.map(([, path]) => join(dirname(doc), path!))]
    return cited.filter((path) => !exists(path)).map((path) => `${doc} cites ${path}, which does not exist`)
  })
}

/** One sentence for each test that a document names, as in `test/a.test.ts` "a guarantee", and that does not exist. */
export function evidenceProblems(docs: Sources, tests: Sources): string[] {
  return Object.entries(docs).flatMap(([doc, text]) =>
    [...text.matchAll(/`(test\/[\w./-]+)`((?:,? "[^"]+")+)/g)].flatMap(([, path = '', names = '']) =>
      [...names.matchAll(/"([^"]+)"/g)]
        .filter(([, name = '']) => !tests[path]?.includes(name))
        .map(([, name]) => `${doc} names the test "${name}", which ${path} does not have`),
    ),
  )
}

const topLevel = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'wrangler.toml',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
]
const folders = ['migrations', 'src', 'test', 'scripts', 'docs', 'node_modules', 'dist', 'coverage']

/** One sentence for each name that is not allowed at the top level. Names with a leading dot are always allowed. */
export const topLevelProblems = (names: string[]): string[] =>
  names
    .filter((name) => !name.startsWith('.') && ![...topLevel, ...folders].includes(name))
    .map((name) => `${name} does not belong at the top level`)

const usage = {
  command: 'node scripts/check.ts',
  purpose: 'Checks import boundaries, comments, commit subjects, references in the docs and names at the top level.',
  examples: [''],
}

if (import.meta.main) {
  await main(usage, () => {
    const problems = [
      ...boundaryProblems(read('src/**/*.{ts,tsx}')),
      ...commentProblems(read('src/services/**/*.ts')),
      ...subjectProblems(readSubjects()),
      ...docProblems(read('README.md', 'docs/**/*.md'), existsSync),
      ...evidenceProblems(read('docs/*.md'), read('test/**/*.ts')),
      ...topLevelProblems(readdirSync('.')),
    ]
    process.stderr.write(problems.map((problem) => `${problem}\n`).join(''))
    process.exitCode = problems.length > 0 ? 1 : 0
  })
}

import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'

/** The text of each source file by its path from the root, as `src/services/posts/likes.ts`. */
export type Sources = Record<string, string>

type Import = { from: string; to: string; typeOnly: boolean }

const sharedFiles = ['tables.ts', 'statements.ts', 'views.ts', 'events.ts', 'policy.ts']
const registryFiles = ['routes.ts', 'graph.ts', 'subscriptions.ts']

/** Every import that crosses a boundary drawn in docs/architecture.md, a sentence each. */
export function boundaryProblems(sources: Sources): string[] {
  return importsOf(sources).flatMap((it) => {
    const reason = forbidden(it)
    return reason ? [`${it.from} imports ${it.to}: ${reason}`] : []
  })
}

function importsOf(sources: Sources): Import[] {
  const pattern = /^(?:import|export)\s+(type\s)?[^'"`;]*?\bfrom '(\.[^']+)'|\bimport\(?\s*'(\.[^']+)'/gm
  return Object.entries(sources).flatMap(([from, text]) =>
    [...text.matchAll(pattern)].map(([, typeOnly, named, bare]) => ({
      from,
      to: normalize(join(dirname(from), named ?? bare ?? '')),
      typeOnly: typeOnly !== undefined,
    })),
  )
}

function forbidden({ from, to, typeOnly }: Import): string | undefined {
  const file = basename(to)
  const service = serviceOf(to)
  if (to.startsWith('node_modules/')) return undefined
  if (file.endsWith('.object.ts') && from !== 'src/worker.ts' && !typeOnly) return 'only src/worker.ts takes an object'
  if (service && registryFiles.includes(file) && from !== 'src/registry.ts') return 'only src/registry.ts takes it'
  if (within('platform', from) && !within('platform', to)) return 'the platform knows only the platform'
  if (!serviceOf(from) || within('platform', to) || service === serviceOf(from)) return undefined
  if (!service) return 'a service takes from the platform and from services'
  return sharedFiles.includes(file) ? undefined : `of another service it may take ${sharedFiles.join(', ')}`
}

const within = (folder: string, path: string) => path.startsWith(`src/${folder}/`)

const serviceOf = (path: string) => /^src\/services\/([^/]+)\//.exec(path)?.[1]

/** Every path that a document cites, in backticks or as a relative link, and that does not exist. */
export function docProblems(docs: Sources, exists: (path: string) => boolean): string[] {
  return Object.entries(docs).flatMap(([doc, text]) => {
    const quoted = [...text.matchAll(/`((?:src|test|scripts|docs|migrations|\.ci|\.github)\/[\w./-]+)(?::\d+)?`/g)]
    const links = [...text.matchAll(/\]\((?!\w+:|#)([^)\s#]+)[^)]*\)/g)]
    const cited = [...quoted.map(([, path]) => path!), ...links.map(([, path]) => join(dirname(doc), path!))]
    return cited.filter((path) => !exists(path)).map((path) => `${doc} cites ${path}, which does not exist`)
  })
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

/** What stands at the top level though it belongs inside the folder it serves. */
export const topLevelProblems = (names: string[]): string[] =>
  names
    .filter((name) => !name.startsWith('.') && ![...topLevel, ...folders].includes(name))
    .map((name) => `${name} does not belong at the top level`)

const read = (...patterns: string[]): Sources =>
  Object.fromEntries(globSync(patterns).map((path) => [path, readFileSync(path, 'utf8')]))

if (import.meta.main) {
  const problems = [
    ...boundaryProblems(read('src/**/*.ts', 'src/**/*.tsx')),
    ...docProblems(read('README.md', 'docs/**/*.md'), existsSync),
    ...topLevelProblems(readdirSync('.')),
  ]
  process.stderr.write(problems.map((problem) => `${problem}\n`).join(''))
  process.exitCode = problems.length > 0 ? 1 : 0
}

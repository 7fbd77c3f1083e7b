import { basename } from 'node:path'
import { Visitor } from 'oxc-parser'
import { type Import, lineAt, parseAll, type SourceFile, type Sources } from './source-files.ts'

const sharedFiles = ['tables.ts', 'queries.ts', 'statements.ts', 'views.ts', 'policy.ts', 'events.ts', 'variables.ts']
const registryFiles = ['operations.ts', 'graph.ts', 'subscriptions.ts', 'personal.ts']
const surfaceImporters = ['src/app.ts', 'src/worker.ts', 'src/registry.ts', 'src/rpc.ts']
const registries = ['src/registry.ts', 'src/eager.ts']

/** One sentence for each import or write that violates a rule in docs/architecture.md. */
export function boundaryProblems(sources: Sources): string[] {
  return parseAll(sources).flatMap((file) => [
    ...file.imports.flatMap((found) => {
      const reason = forbidden(found)
      return reason ? [`${found.from} imports ${found.to}: ${reason}`] : []
    }),
    ...foreignWrites(file),
  ])
}

function forbidden({ from, to }: Import): string | undefined {
  const file = basename(to)
  const service = serviceOf(to)
  if (file.endsWith('.object.ts') && from !== 'src/worker.ts') {
    return 'only src/worker.ts imports a Durable Object class; other files use its client'
  }
  if (within('surfaces', to) && !within('surfaces', from) && !surfaceImporters.includes(from)) {
    return `only ${surfaceImporters.join(', ')} import a surface`
  }
  if (within('client', from)) return within('client', to) ? undefined : 'the client imports only its own files'
  if (within('platform', from)) return within('platform', to) ? undefined : 'the platform imports only the platform'
  if (within('surfaces', from)) {
    const allowed = service || within('platform', to) || within('surfaces', to)
    return allowed ? undefined : 'a surface imports only the platform, services and surfaces'
  }
  if (service && registryFiles.includes(file) && !registries.includes(from)) {
    return `only ${registries.join(', ')} and surfaces import this file`
  }
  if (!serviceOf(from) || within('platform', to) || service === serviceOf(from)) return undefined
  if (!service) return 'a service imports only the platform and services'
  return sharedFiles.includes(file) ? undefined : `a service imports from another one only ${sharedFiles.join(', ')}`
}

const within = (folder: string, path: string) => path.startsWith(`src/${folder}/`)

const serviceOf = (path: string) => /^src\/services\/([^/]+)\//.exec(path)?.[1]

/** Calls like `db.update(posts)` outside the service that owns the table. The owner can export a statement instead. */
function foreignWrites({ path, text, program, imports }: SourceFile): string[] {
  const foreign = imports.filter(({ to }) => basename(to) === 'tables.ts' && serviceOf(to) !== serviceOf(path))
  const owners = new Map(foreign.flatMap(({ names, to }) => names.map((name) => [name, serviceOf(to)])))
  const problems: string[] = []
  new Visitor({
    CallExpression({ callee, arguments: [table], start }) {
      const isWrite =
        callee.type === 'MemberExpression' &&
        callee.property.type === 'Identifier' &&
        ['insert', 'update', 'delete'].includes(callee.property.name)
      const root = table?.type === 'MemberExpression' ? table.object : table
      const owner = root?.type === 'Identifier' ? owners.get(root.name) : undefined
      if (isWrite && owner) {
        problems.push(
          `${path}:${lineAt(text, start)} writes a table of ${owner}: use a statement that ${owner} exports for it`,
        )
      }
    },
  }).visit(program)
  return problems
}

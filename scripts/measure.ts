import { Visitor } from 'oxc-parser'
import { main } from './command.ts'
import { lineAt, parseAll, read, type SourceFile, type Sources, standsAlone } from './source-files.ts'

const LONGEST_FUNCTION = 40
const LONGEST_FILE = 250

/** A metric of the source code. The goal is met if `value` is at most `goal`. `offenders` are the places that count. */
export type Measure = { name: string; value: number; goal: number; offenders: string[] }

export function measure(sources: Sources): Measure[] {
  const files = parseAll(sources)
  const inside = (...folders: string[]) => files.filter(({ path }) => folders.some((name) => path.startsWith(name)))
  const [src, platform, services] = [inside('src/'), inside('src/platform/'), inside('src/services/')]
  const surfaces = inside('src/surfaces/')
  const count = (name: string, goal: number, offenders: string[]) => ({
    name,
    value: offenders.length,
    goal,
    offenders,
  })
  return [
    count('import circles in src', 0, circles(src)),
    count('casts in src/platform', 15, platform.flatMap(casts)),
    count('casts in src/services', 5, services.flatMap(casts)),
    count('casts in src/surfaces', 6, surfaces.flatMap(casts)),
    count('raw sql templates in src', 30, src.flatMap(sqlTemplates)),
    count(
      `functions over ${LONGEST_FUNCTION} lines in src and scripts`,
      0,
      inside('src/', 'scripts/').flatMap(longFunctions),
    ),
    count(`files over ${LONGEST_FILE} lines in src, scripts, test`, 0, files.flatMap(longFile)),
    commentShare('comment lines in src/services (%)', 4, services),
    commentShare('comment lines in src/platform (%)', 9.9, platform),
    commentShare('comment lines in src/surfaces (%)', 8, surfaces),
  ]
}

const place = ({ path, text }: SourceFile, { start }: { start: number }) => `${path}:${lineAt(text, start)}`

const linesOf = (text: string) => text.trimEnd().split('\n').length

/** `as const` does not count as a cast, because it only narrows a type. */
function casts(file: SourceFile): string[] {
  const found: string[] = []
  new Visitor({
    TSAsExpression(node) {
      const { start, end } = node.typeAnnotation
      if (file.text.slice(start, end) !== 'const') found.push(place(file, node))
    },
    TSTypeAssertion: (node) => void found.push(place(file, node)),
  }).visit(file.program)
  return found
}

function sqlTemplates(file: SourceFile): string[] {
  const found: string[] = []
  new Visitor({
    TaggedTemplateExpression(node) {
      if (node.tag.type === 'Identifier' && node.tag.name === 'sql') found.push(place(file, node))
    },
  }).visit(file.program)
  return found
}

function longFunctions(file: SourceFile): string[] {
  const found: string[] = []
  const look = (node: { start: number; end: number }) => {
    const lines = linesOf(file.text.slice(node.start, node.end))
    if (lines > LONGEST_FUNCTION) found.push(`${place(file, node)} (${lines} lines)`)
  }
  new Visitor({ FunctionDeclaration: look, FunctionExpression: look, ArrowFunctionExpression: look }).visit(
    file.program,
  )
  return found
}

function longFile({ path, text }: SourceFile): string[] {
  const lines = linesOf(text)
  return lines > LONGEST_FILE ? [`${path} (${lines} lines)`] : []
}

/** The number of lines that hold a comment and nothing else. */
const commentLines = ({ text, comments }: SourceFile): number =>
  comments
    .filter(({ start }) => standsAlone(text, start))
    .reduce((sum, { start, end }) => sum + linesOf(text.slice(start, end)), 0)

function commentShare(name: string, goal: number, files: SourceFile[]): Measure {
  const counted = files.map((file) => ({ path: file.path, comments: commentLines(file), lines: linesOf(file.text) }))
  const sum = (key: 'comments' | 'lines') => counted.reduce((total, file) => total + file[key], 0)
  const offenders = counted
    .filter(({ comments, lines }) => (100 * comments) / lines > goal)
    .map(({ path, comments, lines }) => `${path} (${comments} of ${lines} lines)`)
  return { name, value: Math.round((1_000 * sum('comments')) / Math.max(1, sum('lines'))) / 10, goal, offenders }
}

/** Groups of files that import each other, also indirectly or as types: strongly connected components (Tarjan 1972). */
function circles(files: SourceFile[]): string[] {
  const next = new Map(files.map(({ path, imports }) => [path, imports.map(({ to }) => to)]))
  const order = new Map<string, number>()
  const stack: string[] = []
  const found: string[] = []
  /** Tarjan's algorithm: adds import circles to `found`. Returns the lowest number on the stack that `path` reaches. */
  function visit(path: string): number {
    const index = order.size
    order.set(path, index)
    stack.push(path)
    let earliest = index
    for (const to of next.get(path)!) {
      if (!next.has(to)) continue
      if (!order.has(to)) earliest = Math.min(earliest, visit(to))
      else if (stack.includes(to)) earliest = Math.min(earliest, order.get(to)!)
    }
    if (earliest < index) return earliest
    const circle = stack.splice(stack.indexOf(path))
    if (circle.length > 1 || next.get(path)!.includes(path)) found.push(circle.sort().join(', '))
    return earliest
  }
  for (const path of next.keys()) if (!order.has(path)) visit(path)
  return found
}

function print(measures: Measure[], list: boolean): void {
  const width = Math.max(...measures.map(({ name }) => name.length))
  for (const { name, value, goal, offenders } of measures) {
    const verdict = value <= goal ? 'met' : 'missed'
    process.stdout.write(
      `${name.padEnd(width)} ${String(value).padStart(6)}  goal ${String(goal).padStart(4)}  ${verdict}\n`,
    )
    if (list) process.stdout.write(offenders.map((offender) => `  ${offender}\n`).join(''))
  }
}

const usage = {
  command: 'npm run measure',
  purpose: 'Measures the source code, and fails if a goal is missed.',
  options: { list: { type: 'boolean', default: false, help: 'lists the places that each metric counts' } },
  examples: ['', '--list'],
} as const

if (import.meta.main) {
  await main(usage, ({ values }) => {
    const measures = measure(read('{src,scripts,test}/**/*.{ts,tsx}'))
    print(measures, values.list)
    process.exitCode = measures.every(({ value, goal }) => value <= goal) ? 0 : 1
  })
}

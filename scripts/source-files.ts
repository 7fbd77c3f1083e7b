import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { type Comment, type Program, parseSync, Visitor } from 'oxc-parser'

/** The text of each source file by its path from the root, such as `src/services/posts/likes.ts`. */
export type Sources = Record<string, string>

/** The file `from` imports the file `to`. `names` are the local names that an import declaration creates. */
export type Import = { from: string; to: string; typeOnly: boolean; names: string[] }

export type SourceFile = { path: string; text: string; program: Program; comments: Comment[]; imports: Import[] }

export const read = (...patterns: string[]): Sources =>
  Object.fromEntries(
    globSync(patterns)
      .sort()
      .map((path) => [path, readFileSync(path, 'utf8')]),
  )

export const parseAll = (sources: Sources): SourceFile[] =>
  Object.entries(sources).map(([path, text]) => {
    const { program, comments, errors } = parseSync(path, text)
    if (errors[0]) throw new Error(`${path} cannot be parsed: ${errors[0].message}`)
    return { path, text, program, comments, imports: importsOf(path, program) }
  })

export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

/** Whether only spaces and tabs precede `offset` in its line. */
export const standsAlone = (text: string, offset: number): boolean => /(^|\n)[ \t]*$/.test(text.slice(0, offset))

/** Every relative import, re-export, dynamic import and type import. */
function importsOf(from: string, program: Program): Import[] {
  const imports: Import[] = []
  const add = (to: unknown, typeOnly: boolean, names: string[] = []) => {
    if (typeof to === 'string' && to.startsWith('.')) {
      imports.push({ from, to: normalize(join(dirname(from), to)), typeOnly, names })
    }
  }
  const visitor = new Visitor({
    ImportDeclaration({ source, importKind, specifiers }) {
      const allTypes = specifiers.length > 0 && specifiers.every((it) => 'importKind' in it && it.importKind === 'type')
      const names = specifiers.map(({ local }) => local.name)
      add(source.value, importKind === 'type' || allTypes, names)
    },
    ExportNamedDeclaration: ({ source, exportKind }) => add(source?.value, exportKind === 'type'),
    ExportAllDeclaration: ({ source, exportKind }) => add(source.value, exportKind === 'type'),
    ImportExpression: ({ source }) => add('value' in source && source.value, false),
    TSImportType: ({ source }) => add(source.value, true),
  })
  visitor.visit(program)
  return imports
}

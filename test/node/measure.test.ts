import { expect, test } from 'vitest'
import { measure } from '../../scripts/measure.ts'
import type { Sources } from '../../scripts/source-files.ts'

const POST = 'src/services/posts/post.ts'

/** The places that a measure reports. `name` is the beginning of its name. */
function offenders(name: string, sources: Sources): string[] {
  return measure(sources).find((each) => each.name.startsWith(name))!.offenders
}

test('an import circle is found through types, re-exports and dynamic imports', () => {
  const sources = {
    'src/a.ts': "import type { B } from './b.ts'",
    'src/b.ts': "export { c } from './c.ts'",
    'src/c.ts': "const d = import('./d.tsx')",
    'src/d.tsx': "let a: import('./a.ts').A",
    'src/e.ts': "import './a.ts'\nimport { z } from 'zod'",
  }
  expect(offenders('import circles', sources)).toEqual(['src/a.ts, src/b.ts, src/c.ts, src/d.tsx'])
  expect(offenders('import circles', { ...sources, 'src/d.tsx': '' })).toEqual([])
})

test('casts are counted, but not const assertions, renamed imports, strings or comments', () => {
  const innocent = "import { a as b } from './b.ts'\n// a as b\nconst c = ['x as y', `b as y`] as const\n"
  expect(offenders('casts in src/services', { [POST]: innocent })).toEqual([])
  expect(offenders('casts in src/services', { [POST]: `${innocent}const d = c as unknown as string` })).toEqual([
    `${POST}:4`,
    `${POST}:4`,
  ])
  expect(offenders('casts in src/platform', { [POST]: 'a as b' })).toEqual([])
})

test('sql templates are counted, other templates are not', () => {
  const text = 'sql<number>`a`\nother`b`\nf(sql`c`)'
  expect(offenders('raw sql', { [POST]: text })).toEqual([`${POST}:1`, `${POST}:3`])
})

test('functions over 40 lines and files over 250 lines are found', () => {
  const lines = (count: number) => `\n${'x()\n'.repeat(count)}`
  const functions = `function f() {${lines(38)}}\nconst g = () => {${lines(39)}}\n`
  expect(offenders('functions over', { [POST]: functions })).toEqual([`${POST}:41 (41 lines)`])
  const files = { 'test/a.test.ts': lines(249), 'test/b.test.ts': lines(250) }
  expect(offenders('files over', files)).toEqual(['test/b.test.ts (251 lines)'])
})

test('the share of comments counts only lines that contain nothing but a comment', () => {
  const text = `/**\n * One.\n */\nconst a = 1 // two\n  // three\nconst b = '// four'\n\n\n\n\nc()\n`
  const [share] = measure({ [POST]: text }).filter(({ name }) => name.startsWith('comment lines in src/services'))
  expect(share).toMatchObject({ value: 36.4, offenders: [`${POST} (4 of 11 lines)`] })
})

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { replaceFiles } from '../../scripts/write-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'output-'))
const at = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

test('unchanged files are left untouched, changed files replaced and stale files removed', () => {
  mkdirSync(at('docs'))
  for (const name of ['same.js', 'other.js', 'stale.js', 'docs/stale.js', 'draft.js.42']) {
    writeFileSync(at(name), 'before')
    utimesSync(at(name), 1, 1)
  }
  replaceFiles(folder, [
    { name: 'same.js', contents: 'before' },
    { name: 'other.js', contents: 'after' },
    { name: 'docs/new.js', contents: Buffer.from('after') },
  ])
  expect(statSync(at('same.js')).mtimeMs).toBe(1_000)
  expect(['other.js', 'docs/new.js'].map((name) => readFileSync(at(name), 'utf8'))).toEqual(['after', 'after'])
  // A name that ends in digits may be a temporary file of another build that is running, so the file is kept.
  expect(['stale.js', 'docs/stale.js', 'draft.js.42'].map((name) => existsSync(at(name)))).toEqual([false, false, true])
})

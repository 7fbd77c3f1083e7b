import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type ZipState, zipEnd, zipFile } from '../../src/platform/data/zip.ts'

const folder = mkdtempSync(join(tmpdir(), 'zip-'))
afterAll(() => rmSync(folder, { recursive: true }))

const time = Date.UTC(2026, 10, 30, 12, 34, 56)

async function archived(files: Record<string, (string | Uint8Array)[]>): Promise<string> {
  // The state goes through JSON after each file, as between the steps of an export.
  let zip: ZipState = { offset: 0, entries: [], time }
  const count = Object.keys(files).length
  const chunks: Uint8Array[] = []
  for (const [path, parts] of Object.entries(files)) {
    const body = (async function* () {
      yield* parts
    })()
    for await (const chunk of zipFile(zip, { path, body })) chunks.push(chunk)
    if (count < 100) zip = JSON.parse(JSON.stringify(zip))
  }
  const path = join(folder, `${count}.zip`)
  writeFileSync(path, Buffer.concat([...chunks, ...zipEnd(zip)]))
  return path
}

const readWithPython = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps([[i.filename, list(i.date_time), archive.read(i).decode('latin1')] for i in archive.infolist()]))`

const python = (path: string): [string, number[], string][] =>
  JSON.parse(execFileSync('python3', ['-c', readWithPython, path], { encoding: 'utf8', maxBuffer: 2 ** 28 }))

test('unzip and Python read an archive with empty, chunked and binary files and a name in UTF-8', async () => {
  const every = Uint8Array.from({ length: 256 }, (_, i) => i)
  const path = await archived({
    'empty.json': [],
    'media/chunks.txt': ['one ', 'two'],
    'bytes.bin': [every],
    'é.txt': ['x'],
  })
  expect(execFileSync('unzip', ['-t', path], { encoding: 'utf8' })).toContain('No errors detected')
  const date = [2026, 11, 30, 12, 34, 56]
  expect(python(path)).toEqual([
    ['empty.json', date, ''],
    ['media/chunks.txt', date, 'one two'],
    ['bytes.bin', date, String.fromCharCode(...every)],
    ['é.txt', date, 'x'],
  ])
})

test('an archive without files can be read', async () => {
  expect(python(await archived({}))).toEqual([])
})

test('an archive with more than 65,535 files can be read', async () => {
  const names = Array.from({ length: 66_000 }, (_, i) => `${i}.txt`)
  const path = await archived(Object.fromEntries(names.map((name) => [name, [name]])))
  expect(execFileSync('unzip', ['-tqq', path], { encoding: 'utf8', maxBuffer: 2 ** 28 })).toBe('')
  expect(python(path).map(([name, , content]) => [name, content])).toEqual(names.map((name) => [name, name]))
})

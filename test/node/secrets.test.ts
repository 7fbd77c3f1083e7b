import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { writeDevVars } from '../../scripts/secrets.ts'

function inFolder(run: (file: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'dev-vars-'))
  try {
    run(join(folder, '.dev.vars'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a fresh clone gets every required secret, in a file that only its owner can access', () => {
  inFolder((file) => {
    writeDevVars(file)
    const names = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names).toEqual(unstable_readConfig({ config: 'wrangler.toml' }).secrets?.required)
    expect(statSync(file).mode & 0o077).toBe(0)
  })
})

test('existing secrets are kept and missing ones added', () => {
  inFolder((file) => {
    writeFileSync(file, 'DATA_KEYS=k7:mine')
    writeDevVars(file)
    const once = readFileSync(file, 'utf8')
    expect(once).toMatch(/^DATA_KEYS=k7:mine\n/)
    expect(once.match(/DATA_KEYS/g)).toHaveLength(1)
    writeDevVars(file)
    expect(readFileSync(file, 'utf8')).toBe(once)
  })
})

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
const ours = [...new Set(Object.values(scripts).flatMap((line) => line.match(/\b(scripts|test)\/[\w/-]+\.ts/g) ?? []))]
const folder = mkdtempSync(join(tmpdir(), 'command-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (script: string, args: string[], env = {}) =>
  spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env: { ...process.env, ...env } })

test('every script that npm runs is found', () => {
  expect(ours.filter((path) => path !== 'test/vitest.config.ts')).toHaveLength(29)
})

test.each(ours.filter((path) => !path.includes('vitest')))(
  '%s explains itself with --help, and refuses unknown options with a hint',
  (script) => {
    const { status, stdout } = run(script, ['--help'])
    expect(status).toBe(0)
    for (const part of ['Usage:', 'Options:', 'Examples:', 'Exit codes: 0 success']) expect(stdout).toContain(part)
    const [, command] = /^ {2}((?:npm|node) \S+(?: \S+)?)/m.exec(stdout)!
    const wrong = run(script, ['--no-such-option'])
    expect([wrong.status, wrong.stdout]).toEqual([2, ''])
    expect(wrong.stderr).toMatch(/^Unknown option '--no-such-option'\. See: .* -- --help\n$/)
    expect(wrong.stderr).toContain(command!.replace(/ --$/, ''))
  },
)

test('options before the -- of npm are refused instead of ignored', () => {
  const { status, stderr } = run('scripts/seed.ts', [], { npm_config_people: '5' })
  expect([status, stderr]).toEqual([
    2,
    'npm took --people for itself: write -- before the options. See: npm run seed -- --help\n',
  ])
})

test.each([
  'start',
  'demo',
  'seed',
  'replay',
  'admin',
  'keys',
  'migrate',
  'build',
  'bench',
  'pretest',
  'config',
  'wire',
  'measure',
  'check',
])('npm run %s without installed packages says in one line what to run', (name) => {
  const fresh = join(folder, name)
  mkdirSync(fresh)
  for (const path of ['package.json', '.npmrc', 'scripts/check-install.mjs']) cpSync(path, join(fresh, path))
  const path = process.env.PATH!.split(':').filter((entry) => !entry.includes('node_modules'))
  const env = { ...process.env, PATH: path.join(':'), HOME: folder }
  const { status, stderr } = spawnSync('npm', ['run', name], { cwd: fresh, encoding: 'utf8', env })
  expect([status, stderr.split('\n')[0]]).toEqual([1, 'The packages are missing: run npm install first.'])
})

test.each([
  ['seed', ['--persist-to', folder]],
  ['replay', ['--list', '--persist-to', folder]],
  ['admin', ['grant', 'ada', 'admin', '--persist-to', folder]],
  ['keys', ['status', '--persist-to', folder]],
])('npm run %s without local data says in one line what to run', (name, args) => {
  const { status, stderr } = run(`scripts/${name}.ts`, args)
  expect([status, stderr]).toEqual([
    1,
    `The databases in ${folder} are not set up: run npm start -- --persist-to ${folder} once.\n`,
  ])
})

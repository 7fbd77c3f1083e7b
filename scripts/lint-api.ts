import { spawnSync } from 'node:child_process'
import { main } from './command.ts'

const FOLDER = 'test/contract'
const REDOCLY = '@redocly/cli@2.77.0'
const SPECTRAL = '@stoplight/spectral-cli@6.16.3'
const PARSER = '@asyncapi/parser@3.6.6'
const DEADLINE_MS = 300_000

/** Runs in the folder to which npm installs the parser, which has no command of its own. */
const PARSE = `
  const { delimiter, join } = require('node:path')
  const folder = process.env.PATH.split(delimiter).find((path) => path.includes('_npx'))
  const { Parser } = require('node:module').createRequire(join(folder, 'parse.js'))('@asyncapi/parser')
  new Parser().parse(require('node:fs').readFileSync('${FOLDER}/asyncapi.json', 'utf8')).then(({ diagnostics }) => {
    const problems = diagnostics.filter(({ severity }) => severity < 2)
    for (const { message, path } of problems) console.log(path.join('.') + ': ' + message)
    process.exitCode = problems.length
  })`

/** The tools are no dependencies, because together they are some 250 packages. npm downloads them on first use. */
function run(tool: string, ...command: string[]): string {
  const args = ['exec', '--yes', `--package=${tool}`, '--', ...command]
  const { status, error, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8', timeout: DEADLINE_MS })
  if (status !== 0) throw new Error(`${tool} reports problems:\n${error?.message ?? ''}${stdout}${stderr}`)
  return stdout
}

function lintWithRedocly(document: string): void {
  const report = run(REDOCLY, 'redocly', 'lint', document, '--format=json')
  const { totals } = JSON.parse(report.slice(report.indexOf('{')))
  if (totals.errors + totals.warnings > 0) throw new Error(`${REDOCLY} reports problems:\n${report}`)
}

const usage = {
  command: 'npm run lint:api',
  purpose: `Checks the API documents in ${FOLDER} with Redocly, Spectral and the AsyncAPI parser: no error and no warning.
npm downloads the tools on first use.`,
  options: {},
  examples: [''],
} as const

if (import.meta.main) {
  await main(usage, () => {
    for (const name of ['openapi', 'asyncapi']) {
      lintWithRedocly(`${FOLDER}/${name}.json`)
      const rules = ['--ruleset', `${FOLDER}/spectral-${name}.yaml`, '--fail-severity', 'warn']
      run(SPECTRAL, 'spectral', 'lint', ...rules, `${FOLDER}/${name}.json`)
    }
    run(PARSER, 'node', '-e', PARSE)
    process.stdout.write('The API documents are valid, without warnings.\n')
  })
}

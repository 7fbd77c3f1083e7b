import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { main, UsageError } from '../../scripts/command.ts'
import { readToken } from '../../scripts/demo/inbox.ts'
import { freePort, Server } from '../crash/server.ts'

const usage = {
  command: 'npm run test:clients',
  purpose: `Generates a Python and a Java client from the OpenAPI document, and runs one story with each against a new server:
register, verify, log in, refresh, post, comment, read feeds, like, list and delete. The tools are downloaded on first use.`,
  options: { only: { type: 'string', value: 'LANGUAGE', help: 'python or java' } },
  examples: ['', '--only python'],
} as const

const GENERATOR = 'openapi-python-client==0.29.1'
const POM = ['--quiet', '--batch-mode', '--file', 'test/clients/java/pom.xml']
const DEADLINE_MS = 300_000
/** Where the Python tools are kept between runs, outside the project. */
const venv = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'socialconnect-clients')

type Language = {
  /** Commands that must be installed already. */
  needs: string[]
  /** Downloads the tools unless they are installed already. */
  install: (folder: string) => void
  /** Generates the client in `folder` from the document, and returns the command that runs the story with it. */
  generate: (folder: string, document: string) => [command: string, ...args: string[]]
}

const languages: Record<string, Language> = {
  python: {
    needs: ['python3'],
    install: () => {
      run('python3', '-m', 'venv', venv)
      run(join(venv, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', GENERATOR)
    },
    generate: (folder, document) => {
      const where = ['--path', document, '--output-path', join(folder, 'client'), '--meta', 'none']
      run(join(venv, 'bin/openapi-python-client'), 'generate', ...where)
      copyFileSync('test/clients/python_story.py', join(folder, 'story.py'))
      return [join(venv, 'bin/python'), join(folder, 'story.py')]
    },
  },
  java: {
    needs: ['java', 'javac', 'mvn'],
    install: (folder) => {
      const goals = ['dependency:resolve-plugins', 'dependency:build-classpath']
      run('mvn', ...POM, ...goals, `-Dmdep.outputFile=${join(folder, 'classpath')}`, `-Dbuild=${folder}`)
    },
    generate: (folder, document) => {
      run('mvn', ...POM, 'compile', `-Ddocument=${document}`, `-Dbuild=${folder}`)
      const classpath = readFileSync(join(folder, 'classpath'), 'utf8').trim()
      return ['java', '-cp', `${join(folder, 'classes')}:${classpath}`, 'Story']
    },
  },
}

function run(command: string, ...args: string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: DEADLINE_MS })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${error?.message ?? ''}${stdout}${stderr}`)
}

const say = (line: string) => process.stdout.write(`${line}\n`)
const isInstalled = (command: string) => spawnSync('which', [command]).status === 0

/** Whether the tools of a language can be used. If not, its client is skipped, because the product is not at fault. */
function isReady(name: string, { needs, install }: Language, folder: string): boolean {
  const missing = needs.filter((command) => !isInstalled(command))
  if (missing.length > 0) say(`${name}: skipped, because ${missing.join(' and ')} cannot be found`)
  if (missing.length > 0) return false
  try {
    install(folder)
    return true
  } catch (error) {
    say(`${name}: skipped, because its tools cannot be installed. ${error instanceof Error ? error.message : error}`)
    return false
  }
}

/** Runs the story of a client. It registers, gets the token of its email from this function, and then does the rest. */
async function play(name: string, [command, ...args]: [string, ...string[]], origin: string): Promise<void> {
  const handle = `${name}_${Date.now().toString(36)}`
  const email = `${handle}@people.example`
  const story = spawn(command, [...args, origin, handle, email, randomUUID()], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: DEADLINE_MS,
  })
  const exited = once(story, 'exit')
  for await (const line of createInterface(story.stdout)) {
    if (line === 'registered') story.stdin.write(`${await readToken(origin, email)}\n`)
  }
  const [code] = await exited
  if (code !== 0) throw new Error(`The ${name} client failed`)
}

async function test(work: string, only?: string): Promise<void> {
  const wanted = Object.entries(languages).filter(([name]) => (only ?? name) === name)
  if (wanted.length === 0) throw new UsageError(`Unknown language ${only}: use python or java.`)
  const folderOf = (name: string) => join(work, name)
  for (const [name] of wanted) mkdirSync(folderOf(name))
  const ready = wanted.filter(([name, language]) => isReady(name, language, folderOf(name)))
  if (ready.length === 0) return
  const server = new Server(await freePort(), join(work, 'state'), {})
  try {
    await server.start()
    const document = join(work, 'openapi.json')
    writeFileSync(document, await (await fetch(`${server.origin}/openapi.json`)).text())
    for (const [name, { generate }] of ready) {
      await play(name, generate(folderOf(name), document), server.origin)
      say(`${name}: the generated client works`)
    }
  } finally {
    await server.kill()
  }
}

await main(usage, async ({ values }) => {
  const work = mkdtempSync(join(tmpdir(), 'socialconnect-clients-'))
  try {
    await test(work, values.only)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})

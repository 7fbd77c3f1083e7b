import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { main, UsageError } from '../../scripts/command.ts'
import { readToken } from '../../scripts/demo/inbox.ts'
import { freePort, Server } from '../crash/server.ts'
import { type Language, languages } from './languages.ts'

const usage = {
  command: 'npm run test:clients',
  purpose: `Generates a client for each language from the OpenAPI document. Those for Python, Java and TypeScript are compiled,
and run one story against a new server: register, verify, log in, refresh, post, comment, read feeds, like, list and
delete. The tools are downloaded on first use.`,
  options: { only: { type: 'string', value: 'LANGUAGE', help: Object.keys(languages).join(', ') } },
  examples: ['', '--only python'],
} as const

const DEADLINE_MS = 300_000

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
  if (wanted.length === 0)
    throw new UsageError(`Unknown language ${only}: use one of ${Object.keys(languages).join(', ')}.`)
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
      const story = await generate(folderOf(name), document)
      if (story) await play(name, story, server.origin)
      say(`${name}: the client ${story ? 'works' : 'is generated'}`)
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

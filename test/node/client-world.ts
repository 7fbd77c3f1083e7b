import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildClient, clientFolder } from '../../scripts/build-client.ts'
import { freePort, Server } from '../crash/server.ts'

/** A running server, and a folder in which only the packed client is installed. */
export class World {
  readonly #folder = mkdtempSync(join(tmpdir(), 'client-package-'))
  readonly app = join(this.#folder, 'app')
  server!: Server

  async start(): Promise<void> {
    this.server = new Server(await freePort(), join(this.#folder, 'state'), {})
    const started = this.server.start()
    await buildClient()
    run('npm', ['pack', '--silent', '--pack-destination', this.#folder], clientFolder)
    const [tarball] = readdirSync(this.#folder).filter((name) => name.endsWith('.tgz'))
    mkdirSync(this.app)
    writeFileSync(join(this.app, 'package.json'), '{ "type": "module" }')
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', join('..', tarball!)], this.app)
    await started
  }

  async stop(): Promise<void> {
    await this.server.kill()
    rmSync(this.#folder, { recursive: true })
  }
}

export function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? ''}${stdout}${stderr}`)
  return stdout
}

/** Returns what the compiler says about a file of the app. */
export function checkTypes({ app }: World, file: string, source: string): string {
  writeFileSync(join(app, file), source)
  const options = [
    '--strict',
    '--noEmit',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--lib',
    'es2023,dom,dom.asynciterable',
  ]
  const types = ['--types', 'node', '--typeRoots', resolve('node_modules/@types')]
  const args = [resolve('node_modules/typescript/bin/tsc'), ...options, ...types, file]
  return spawnSync(process.execPath, args, { cwd: app, encoding: 'utf8' }).stdout
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { readLink } from '../../scripts/demo/inbox.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { freePort } from '../crash/server.ts'
import type { OidcProvider } from '../support/oidc-provider.ts'
import { startProvider } from './provider.ts'

const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', ...QUIET]

/** A local server with its own data, and a browser. */
export type Site = {
  origin: string
  stateDir: string
  browser: Browser
  /** Where people can log in besides the site. */
  provider: OidcProvider
  /** The errors in the browser consoles of all pages, and the uncaught errors of the pages. */
  consoleErrors: string[]
  stop: () => Promise<void>
}

/** The server and the two logged-in pages that the tests share. */
export class World {
  site!: Site
  ada!: Page
  bob!: Page
}

/** Where browsers accept passkeys, which they refuse for IP addresses. */
export const LOCALHOST = 'localhost'

const executable = process.env.CHROMIUM ?? '/usr/bin/chromium'

type Settings = { host?: string; variables?: Record<string, string> }

/** Starts a site for the tests that `define` defines. Skips them without a browser. */
export function describeSite(name: string, define: (world: World) => void, settings: Settings = {}): void {
  const hasChromium = existsSync(executable)
  if (!hasChromium) {
    process.stderr.write(`Skipping the browser tests: ${executable} is missing. Install chromium or set CHROMIUM.\n`)
  }
  describe.skipIf(!hasChromium)(name, () => {
    const world = new World()
    beforeAll(async () => {
      world.site = await startSite(executable, settings)
    })
    afterAll(() => world.site?.stop())
    define(world)
  })
}

async function startSite(executablePath: string, { host = '127.0.0.1', variables: own }: Settings): Promise<Site> {
  const stateDir = mkdtempSync(join(tmpdir(), 'socialconnect-page-'))
  const port = String(await freePort())
  const origin = `http://${host}:${port}`
  // A user of these tests makes more requests in a minute than the default limit allows.
  const { provider, variables, stop: stopProvider } = await startProvider()
  const settings = Object.entries({ REQUESTS_PER_MINUTE: '1000', BASE_URL: origin, ...variables, ...own })
  const vars = settings.flatMap(([name, value]) => ['--var', `${name}:${value}`])
  const options = ['--port', port, '--persist-to', stateDir, ...vars]
  const server = spawn(process.execPath, ['scripts/start.ts', ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: Buffer[] = []
  server.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS })
  const stop = async () => {
    stopProvider()
    await browser.close()
    if (server.exitCode === null && server.kill('SIGTERM')) await once(server, 'exit')
    rmSync(stateDir, { recursive: true, force: true })
  }
  await vi
    .waitUntil(() => isHealthy(origin, server, output), { timeout: 100_000, interval: 250 })
    .catch(async (error) => {
      await stop()
      throw error
    })
  return { origin, stateDir, browser, provider, consoleErrors: [], stop }
}

async function isHealthy(origin: string, server: ChildProcess, output: Buffer[]): Promise<boolean> {
  if (server.exitCode !== null) throw new Error(`The server exited: ${Buffer.concat(output)}`)
  const response = await fetchInTime(`${origin}/healthz`).catch(() => undefined)
  return response?.ok ?? false
}

/** A page in its own browser context, so with its own session. */
export async function newPage({ browser, consoleErrors }: Site): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && consoleErrors.push(message.text()))
  page.on('pageerror', (error) => consoleErrors.push(String(error)))
  return page
}

/** The verification link in the email to `address`, from the inbox of the local server. */
export const verificationLink = ({ origin }: Site, address: string) => readLink(origin, address, 'verify')

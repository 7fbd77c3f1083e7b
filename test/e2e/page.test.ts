import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe } from 'vitest'
import { accessibilityTests } from './accessibility.ts'
import { accountTests } from './accounts.ts'
import { docsTests } from './docs.ts'
import { failureTests } from './failures.ts'
import { mainJobTests } from './main-job.ts'
import { startSite, World } from './site.ts'

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'
const hasChromium = existsSync(chromium)

if (!hasChromium) {
  process.stderr.write(`Skipping the browser tests: ${chromium} is missing. Install chromium or set CHROMIUM.\n`)
}

// The tests share one server and build on each other: the first one registers Ada and Bob.
describe.skipIf(!hasChromium)('the web client', () => {
  const world = new World()

  beforeAll(async () => {
    world.site = await startSite(chromium)
  })

  afterAll(() => world.site?.stop())

  mainJobTests(world)
  failureTests(world)
  accountTests(world)
  docsTests(world)
  accessibilityTests(world)
})

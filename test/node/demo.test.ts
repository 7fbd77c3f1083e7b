import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

test('when a registration gets 429, the demo prints how long to wait and how to start with new data', async () => {
  const server = createServer((_, response) => response.writeHead(429, { 'retry-after': '1261' }).end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const demo = spawn(process.execPath, ['scripts/demo.ts', '--url', url], { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(demo, 'close')
  const output = await text(demo.stderr)
  expect([output, ...(await closed)]).toEqual([
    `
  Too many registrations from this address: run the demo again in 22 min, or start the server with new data: npm start -- --persist-to DIR

`,
    1,
    null,
  ])
  server.close()
})

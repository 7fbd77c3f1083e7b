import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

async function runDemo(url: string): Promise<{ code: number; stderr: string }> {
  const demo = spawn(process.execPath, ['scripts/demo.ts', '--url', url], { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(demo, 'close')
  const stderr = await text(demo.stderr)
  const [code] = await closed
  return { code, stderr }
}

test('when a registration gets 429, the demo prints how long to wait and how to start with new data', async () => {
  const server = createServer((_, response) => response.writeHead(429, { 'retry-after': '1261' }).end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  expect(await runDemo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).toEqual({
    code: 1,
    stderr:
      'Too many registrations from this address: run the demo again in 22 min, or start the server with new data: npm start -- --persist-to DIR\n',
  })
  server.close()
})

test('without a running server, the demo prints in one line how to start it', async () => {
  const hint = 'run npm start first, or pass its address: npm run demo -- --url http://127.0.0.1:8788'
  expect(await runDemo('http://127.0.0.1:1')).toEqual({
    code: 1,
    stderr: `Nothing answers at http://127.0.0.1:1: ${hint}\n`,
  })
})

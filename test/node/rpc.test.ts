import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unstable_getMiniflareWorkerOptions } from 'wrangler'
import { buildWorker, workerFolder } from '../../scripts/build-worker.ts'
import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import { newId } from '../../src/platform/data/ids.ts'
import { type Runtime, startWorkers } from '../bench/runtime.ts'
import { seedPeople } from '../bench/seed.ts'
import { makeTokens } from '../bench/tokens.ts'
import { listening, product } from '../bench/workers.ts'

// A Worker of its own configuration calls the Worker built for deployment, over service bindings.

const accounts = [newId(0, Date.now()), newId(1, Date.now())]
let dir: string
let runtime: Runtime
let answer: Record<string, unknown>

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rpc-'))
  const tokens = await makeTokens()
  await buildWorker()
  const scriptPath = 'dist/rpc/billing.js'
  await build({
    entryPoints: ['test/rpc/worker.ts'],
    outfile: scriptPath,
    bundle: true,
    format: 'esm',
    external: ['cloudflare:*'],
  })
  const { workerOptions } = unstable_getMiniflareWorkerOptions('test/rpc/wrangler.toml')
  const { rootPath: _, modulesRules: __, ...caller } = workerOptions
  const called = { ...product(workerFolder, tokens), name: 'socialconnect' }
  const billing = { ...caller, name: 'billing', modules: true, scriptPath, ...listening }
  runtime = await startWorkers([called, billing], dir)
  await seedPeople((database) => runtime.open('socialconnect', database), accounts)
  const url = `http://127.0.0.1:${await runtime.portOf('billing')}`
  const response = await fetchInTime(url, { method: 'POST', body: JSON.stringify({ accounts }) })
  if (!response.ok) throw new Error(await response.text())
  answer = await response.json()
})

afterAll(async () => {
  await runtime.stop()
  rmSync(dir, { recursive: true })
})

test('another Worker calls each service as an account or as the system, and each call sees the writes before it', () => {
  const [service, customer] = accounts
  expect(answer).toMatchObject({
    relation: { following: true },
    post: { author: { id: service }, text: `Welcome, @person_${customer}!`, entities: [{ accountId: customer }] },
    repeated: true,
    seen: [(answer.post as { id: string }).id],
    batch: [customer, service],
    unread: { count: expect.any(Number) },
  })
})

test('failures cross to the other Worker with their codes and fields', () => {
  expect(answer).toMatchObject({
    shape: { code: 'invalid', status: 422, errors: [{ field: 'text' }, { field: 'colour' }] },
    scope: { code: 'insufficient_scope', status: 403 },
    missing: { code: 'not_found', status: 404 },
    system: { code: 'forbidden', status: 403 },
    untrusted: { code: 'forbidden', status: 403 },
    credentials: { code: 'forbidden', status: 403 },
  })
})

test('the other Worker can call operations only, not the fields and functions of the entrypoint', () => {
  expect(answer.intrusions).toEqual([])
})

import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientFolder, clientSize } from '../../scripts/build-client.ts'
import { readToken } from '../../scripts/demo/inbox.ts'
import { botTests } from './bots.ts'
import { checkTypes, run, World } from './client-world.ts'

const world = new World()
beforeAll(() => world.start())
afterAll(() => world.stop())

/** The Node of this machine, which may be as old as Node 20. */
const systemNode = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((path) => !path.includes('node_modules'))
  .map((path) => join(path, 'node'))
  .find(existsSync)

test('the whole client has less than 12 KiB, minified and compressed', async () => {
  expect(await clientSize()).toBeLessThan(12 * 1024)
})

test('a project that depends on the folder of this one finds the client too', () => {
  expect(createRequire(import.meta.url).resolve('socialconnect/client')).toBe(resolve(clientFolder, 'client.js'))
})

test('the package has no dependencies, and its types accept correct calls only', () => {
  expect(readdirSync(join(world.app, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    'socialconnect',
  ])
  const source = `import { ApiError, createClient, type Post } from 'socialconnect/client'
const client = createClient({ origin: 'http://127.0.0.1', credential: () => 'key' })
const created: Promise<Post> = client.createPost({ text: 'a' }, { signal: AbortSignal.timeout(1) })
for await (const { text } of client.pages.getHomeFeed()) text.trim()
await client.getMe()
// @ts-expect-error: the post is missing
client.likePost()
// @ts-expect-error: an unknown field
client.createPost({ texts: 'a' })
// @ts-expect-error: not a list
client.pages.getMe()
export const status = (error: ApiError): number => error.status + (error.retryAfter ?? 0)
export { created }
`
  expect(checkTypes(world, 'check.ts', source)).toBe('')
})

test.each([
  ['the Node of this project', process.execPath],
  ['the Node of this machine', systemNode],
])('with %s, the package registers an account, posts and reads the home feed', async (name, node) => {
  if (!node) throw new Error('No other Node is installed')
  const { app, server } = world
  const handle = `pack_${name.length}_${Date.now().toString(36)}`
  const begin = `import { createClient } from 'socialconnect/client'
const client = createClient({ origin: '${server.origin}' })
`
  const register = `const { registrationToken } = await client.register({ handle: '${handle}', email: '${handle}@people.example', password: 'nine zq seven xk' })
console.log(registrationToken)
`
  const registrationToken = run(node, ['--input-type=module', '--eval', begin + register], app).trim()
  const token = await readToken(server.origin, `${handle}@people.example`)
  const story = `await client.verifyAddress({ token: '${token}', registrationToken: '${registrationToken}' })
await client.createPost({ text: 'Hello from a package' })
for await (const { text, author } of client.pages.getHomeFeed()) console.log(author.handle, text)
`
  expect(run(node, ['--input-type=module', '--eval', begin + story], app)).toBe(`${handle} Hello from a package\n`)
})

test.each([
  ['browser', ['browser']],
  ['Worker', ['workerd', 'worker', 'browser']],
])('the package can be bundled for a %s', async (_, conditions) => {
  const contents = "export { createClient } from 'socialconnect/client'"
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir: world.app },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions,
    write: false,
  })
  expect([outputFiles.length, warnings]).toEqual([1, []])
  expect(outputFiles[0]!.text).not.toMatch(/\b(import|require)\s*\(|process\.|\bfrom\s*["']/)
})

botTests(world)

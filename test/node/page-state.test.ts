import { globSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

/** A module of the page. Its types need those of browsers, which the types of Node contradict. */
const pageModule = (path: string) => import(new URL(`../../src/web/${path}`, import.meta.url).href)

const tokens = (id: string) => ({ account: { id, handle: id }, deviceToken: 'device' })

/** A database that keeps values in memory. `close` ends its connections, as iOS does while a page is in the background. */
function fakeDatabase() {
  const values = new Map<string, unknown>()
  let generation = 0
  const request = (result: unknown) => {
    const own = { result, onsuccess: () => {} }
    queueMicrotask(() => own.onsuccess())
    return own
  }
  const connection = () => {
    const opened = generation
    return {
      transaction: () => {
        if (opened !== generation) throw new Error('The database connection is closing')
        const transaction = { oncomplete: () => {}, objectStore: () => store }
        queueMicrotask(() => transaction.oncomplete())
        return transaction
      },
    }
  }
  const store = {
    get: (key: string) => request(values.get(key)),
    put: (value: unknown, key: string) => values.set(key, value),
    delete: (key: string) => values.delete(key),
  }
  const close = () => {
    generation += 1
  }
  return { indexedDB: { open: () => request(connection()) }, close }
}

const database = fakeDatabase()
beforeEach(() => vi.stubGlobal('indexedDB', database.indexedDB))
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a stored token is read and written after the browser has closed the connection to the database', async () => {
  const { loadToken, saveToken } = await pageModule('api/token-store.ts')
  await saveToken('refresh', 'first')
  database.close()
  expect(await loadToken('refresh')).toBe('first')
  database.close()
  await saveToken('refresh', 'second')
  expect(await loadToken('refresh')).toBe('second')
})

test('the password dialog of one account is cancelled when another one logs in', async () => {
  const { askForPassword, passwordRequest } = await pageModule('api/fresh-login.ts')
  const { Cancelled } = await pageModule('api/errors.ts')
  const { showLogin } = await pageModule('api/session.ts')
  await showLogin(tokens('1'))
  const answer = askForPassword().catch((error: unknown) => error)
  await showLogin(tokens('2'))
  expect(await answer).toBeInstanceOf(Cancelled)
  expect(passwordRequest.value).toBeNull()
})

test('ids that were collected for one account are not loaded for the next one', async () => {
  const { collect } = await pageModule('state/collect.ts')
  const { showLogin } = await pageModule('api/session.ts')
  await showLogin(tokens('1'))
  vi.useFakeTimers()
  const load = vi.fn(async () => {})
  const add = collect(1_000, load)
  add('11')
  await showLogin(tokens('2'))
  add('12')
  await vi.runAllTimersAsync()
  expect(load.mock.calls).toEqual([[['12']]])
})

test('a page of a list that arrives for the previous account reaches neither the list nor other views', async () => {
  const { createList, reload } = await pageModule('state/list.ts')
  const { showLogin } = await pageModule('api/session.ts')
  await showLogin(tokens('1'))
  const { promise, resolve } = Promise.withResolvers<object>()
  const stored = vi.fn()
  const list = createList(() => promise, stored)
  const loaded = reload(list)
  await showLogin(tokens('2'))
  resolve({ items: [{ id: '11' }], nextCursor: null, previousCursor: null })
  await loaded
  expect([stored.mock.calls, list.items.value]).toEqual([[], []])
})

/** An upload that ends when the test says so. */
class FakeUpload {
  static last: FakeUpload
  upload = {}
  status = 204
  responseText = ''
  onload = () => {}
  onloadend = () => {}
  onabort = () => {}
  constructor() {
    FakeUpload.last = this
  }
  open() {}
  setRequestHeader() {}
  getAllResponseHeaders() {
    return 'x-request-id: 1'
  }
  send() {}
  abort() {
    this.onabort()
    this.onloadend()
  }
}

test('an upload stops when its signal is aborted, and a response without a body is read', async () => {
  vi.stubGlobal('XMLHttpRequest', FakeUpload)
  const { fetchWithProgress } = await pageModule('api/upload.ts')
  const upload = fetchWithProgress(() => {})
  const stop = new AbortController()
  const stopped = upload('/v1/media', { method: 'POST', signal: stop.signal }).catch((error: unknown) => error)
  stop.abort()
  expect(await stopped).toBeInstanceOf(TypeError)
  await expect(upload('/v1/media', { signal: stop.signal })).rejects.toThrow('interrupted')
  const done = upload('/v1/media', { method: 'POST' })
  FakeUpload.last.onload()
  expect((await done).status).toBe(204)
})

test('a message that arrives after a newer one is shown in its place, and a deleted one is quoted no more', async () => {
  const { merged } = await pageModule('state/merged-messages.ts')
  const message = (seq: number, more: object = {}) => ({ id: `c.${seq}`, seq, kind: 'text', replyTo: null, ...more })
  const loaded = [message(6, { replyTo: { seq: 2, authorId: '1', text: 'two' } }), message(4), message(2)]
  const changed = [message(5), message(1), message(2, { kind: 'deleted' })]
  const shown = merged(loaded, { changed, hidden: [4], isComplete: false })
  expect(shown.map(({ seq }: { seq: number }) => seq)).toEqual([6, 5, 2])
  expect(shown[0].replyTo).toEqual({ seq: 2, authorId: null, text: null })
})

/** Titles that are shown only until a name is loaded. */
const whileLoading = ['Conversation', 'Group', 'Join a group', 'One moment']

test('every title of a view is that of a page which a browser test opens', () => {
  const sources = (folder: string) => globSync(`${folder}/*.{ts,tsx}`).map((file) => readFileSync(file, 'utf8'))
  const tests = sources('test/e2e').join()
  const titles = sources('src/web/views').flatMap((text) =>
    [...text.matchAll(/<(?:View|Done)\s[^>]*?title="([^"]+)"/g)].map(([, title]) => title!),
  )
  expect(titles.length).toBeGreaterThan(40)
  const opened = (title: string) => whileLoading.includes(title) || tests.includes(`'${title}'`)
  expect(titles.filter((title) => !opened(title))).toEqual([])
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { outbound } from '../../../src/platform/security/outbound.ts'
import { forbiddenUrls } from '../../support/outbound-urls.ts'
import { contextWith } from '../../support/platform.ts'

const ctx = contextWith({ BASE_URL: 'https://social.example.net' })
const network = vi.fn<(url: URL, init: RequestInit) => Promise<Response>>()
const hang = () => new Promise<Response>(() => {})

let host = ''
let made = 0

beforeEach(() => {
  made += 1
  host = `h${made}.example.org`
  network.mockReset()
  vi.spyOn(globalThis, 'fetch').mockImplementation((url, init) => network(url as URL, init as RequestInit))
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const calledUrls = () => network.mock.calls.map(([url]) => String(url))
const redirect = (location: string, status = 302) => new Response(null, { status, headers: { location } })

test('outbound sends the request as given and returns the response unchanged', async () => {
  network.mockResolvedValueOnce(Response.json({ a: 1 }, { status: 201, headers: { etag: 'x' } }))
  const response = await outbound(ctx, `https://${host}/a`, {
    method: 'POST',
    body: 'b',
    headers: { authorization: 'c' },
  })
  expect([response.status, response.headers.get('etag'), await response.json()]).toEqual([201, 'x', { a: 1 }])
  const [url, init] = network.mock.calls[0]!
  expect(url.href).toBe(`https://${host}/a`)
  expect(init).toMatchObject({ method: 'POST', body: 'b', redirect: 'manual' })
  expect(new Headers(init.headers).get('authorization')).toBe('c')
})

test('no forbidden URL is ever called, directly or by a redirect', async () => {
  for (const url of Object.values(forbiddenUrls).flat()) {
    await expect(outbound(ctx, url)).rejects.toMatchObject({ code: 'invalid' })
  }
  expect(network).not.toHaveBeenCalled()
  const absolute = Object.values(forbiddenUrls)
    .flat()
    .filter((url) => /^[a-z]+:\/\/./i.test(url))
  for (const url of absolute.filter((text) => isHeaderValue(text))) {
    network.mockResolvedValueOnce(redirect(url))
    await expect(outbound(ctx, `https://${host}/`), url).rejects.toMatchObject({ code: 'invalid' })
  }
  expect(new Set(calledUrls())).toEqual(new Set([`https://${host}/`]))
})

const isHeaderValue = (text: string) => /^[\x21-\x7e]+$/.test(text)

test('GET follows at most three redirects', async () => {
  for (const _ of [1, 2, 3]) network.mockResolvedValueOnce(redirect('/next'))
  network.mockResolvedValueOnce(new Response('there'))
  expect(await (await outbound(ctx, `https://${host}/`)).text()).toBe('there')
  network.mockReset()
  network.mockImplementation(async () => redirect('/again'))
  await expect(outbound(ctx, `https://${host}/`)).rejects.toMatchObject({ code: 'unavailable' })
  expect(network).toHaveBeenCalledTimes(4)
})

test('a redirect to another host drops the credentials, and POST follows no redirect', async () => {
  const headers = { authorization: 'secret', cookie: 'secret', accept: 'x' }
  network.mockResolvedValueOnce(redirect('https://elsewhere.example.org/')).mockResolvedValueOnce(new Response())
  await outbound(ctx, `https://${host}/`, { headers })
  expect([...new Headers(network.mock.calls[1]![1].headers).keys()].sort()).toEqual(['accept', 'user-agent'])
  network.mockReset()
  network.mockResolvedValueOnce(redirect('https://elsewhere.example.org/', 307))
  expect((await outbound(ctx, `https://${host}/`, { method: 'POST', body: 'secret' })).status).toBe(307)
  expect(network).toHaveBeenCalledOnce()
})

test('a response is cancelled after 1 MiB, whatever its content-length says', async () => {
  let sent = 0
  let cancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 65_536
      controller.enqueue(new Uint8Array(65_536))
    },
    cancel: () => {
      cancelled = true
    },
  })
  network.mockResolvedValueOnce(new Response(endless, { headers: { 'content-length': '10' } }))
  await expect(outbound(ctx, `https://${host}/`)).rejects.toMatchObject({ code: 'unavailable' })
  expect(cancelled).toBe(true)
  expect(sent).toBeLessThan(1_300_000)
  network.mockResolvedValueOnce(new Response(new Uint8Array(1_048_576)))
  expect((await (await outbound(ctx, `https://${host}/`)).arrayBuffer()).byteLength).toBe(1_048_576)
})

test('redirects share one deadline of five seconds, after which there is no retry', async () => {
  const deadline = new AbortController()
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(deadline.signal)
  network.mockImplementation(async (url, { signal }) => {
    if (url.pathname === '/') return redirect('/hanging')
    const aborted = new Promise<never>((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    deadline.abort(new DOMException('The operation timed out', 'TimeoutError'))
    return aborted
  })
  await expect(outbound(ctx, `https://${host}/`)).rejects.toMatchObject({
    detail: `${host} did not respond within 5 seconds`,
  })
  expect(timeout).toHaveBeenCalledExactlyOnceWith(5_000)
  expect(network).toHaveBeenCalledTimes(2)
})

test('idempotent requests are retried, and non-idempotent requests are sent once', async () => {
  const dropped = () => Promise.reject(new TypeError('Network connection lost'))
  network
    .mockImplementationOnce(dropped)
    .mockResolvedValueOnce(new Response(null, { status: 503 }))
    .mockResolvedValueOnce(new Response('at last'))
  expect(await (await outbound(ctx, `https://${host}/`)).text()).toBe('at last')
  network.mockReset()
  network.mockImplementation(dropped)
  await expect(outbound(ctx, `https://${host}/`, { method: 'POST' })).rejects.toMatchObject({ code: 'unavailable' })
  expect(network).toHaveBeenCalledTimes(1)
  await expect(
    outbound(ctx, `https://${host}/`, { method: 'POST', headers: { 'idempotency-key': 'k' } }),
  ).rejects.toThrow()
  expect(network).toHaveBeenCalledTimes(4)
})

test('503 is retried and then returned, and 500, 429 and 404 are returned at once', async () => {
  network.mockImplementation(async (url) => new Response('no', { status: Number(url.pathname.slice(1)) }))
  for (const [status, times] of [
    [503, 3],
    [500, 1],
    [429, 1],
    [404, 1],
  ] as const) {
    network.mockClear()
    const response = await outbound(ctx, `https://${host}/${status}`)
    expect([response.status, await response.text(), network.mock.calls.length]).toEqual([status, 'no', times])
  }
})

test('after ten failures a host is not called for ten seconds, and other hosts are not affected', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  network.mockImplementation(async (url) => new Response(null, { status: url.hostname === host ? 502 : 200 }))
  const request = () => outbound(ctx, `https://${host}/`, { method: 'POST' })
  for (let i = 0; i < 10; i++) expect((await request()).status).toBe(502)
  await expect(request()).rejects.toMatchObject({ detail: `${host} is unavailable: circuit open or too many calls` })
  expect(network).toHaveBeenCalledTimes(10)
  expect((await outbound(ctx, 'https://healthy.example.org/')).status).toBe(200)
  vi.setSystemTime(Date.now() + 10_001)
  network.mockImplementation(async () => new Response('well again'))
  expect((await request()).status).toBe(200)
  expect((await request()).status).toBe(200)
})

test('a failing host gets one probe at a time, and a probe that never ends is replaced after 5 seconds', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  network.mockImplementation(async () => new Response(null, { status: 502 }))
  const request = () => outbound(ctx, `https://${host}/`, { method: 'POST' })
  for (let i = 0; i < 10; i++) await request()
  vi.setSystemTime(Date.now() + 10_001)
  network.mockImplementation(hang)
  void request().catch(() => {})
  await expect(request()).rejects.toMatchObject({ code: 'unavailable' })
  vi.setSystemTime(Date.now() + 5_001)
  network.mockImplementation(async () => new Response('well again'))
  expect((await request()).status).toBe(200)
})

test('a host gets at most eight concurrent requests, and the slots of cancelled requests are released', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  network.mockImplementation(hang)
  const request = () => outbound(ctx, `https://${host}/`)
  for (let i = 0; i < 8; i++) void request().catch(() => {})
  await expect(request()).rejects.toMatchObject({ code: 'unavailable' })
  expect(network).toHaveBeenCalledTimes(8)
  vi.setSystemTime(Date.now() + 5_001)
  network.mockImplementation(async () => new Response('here'))
  expect((await request()).status).toBe(200)
})

/** A body that never ends. Counts what was read of it. */
function endless() {
  const read = { bytes: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      read.bytes += 65_536
      controller.enqueue(new Uint8Array(65_536).fill(97))
    },
    cancel: () => {
      read.cancelled = true
    },
  })
  return { body, read }
}

test('a call may choose a shorter body, which is refused or cut off without reading on', async () => {
  const [refused, cut] = [endless(), endless()]
  network.mockResolvedValueOnce(new Response(refused.body))
  await expect(outbound(ctx, `https://${host}/`, { maxBytes: 100_000 })).rejects.toMatchObject({ code: 'unavailable' })
  network.mockResolvedValueOnce(new Response(cut.body, { status: 500 }))
  const response = await outbound(ctx, `https://${host}/`, { method: 'POST', maxBytes: 65_000, cutsBody: true })
  expect([response.status, (await response.text()).length]).toEqual([500, 65_000])
  for (const { read } of [refused, cut]) expect([read.cancelled, read.bytes <= 262_144]).toEqual([true, true])
  network.mockResolvedValueOnce(new Response(new Uint8Array(1_048_577)))
  await expect(outbound(ctx, `https://${host}/`, { maxBytes: 9_000_000 })).rejects.toMatchObject({
    code: 'unavailable',
  })
})

test('a call may choose its deadline, of at most 15 seconds', async () => {
  const timeout = vi.spyOn(AbortSignal, 'timeout')
  network.mockImplementation(async () => new Response())
  for (const deadlineMs of [1_000, 15_000, 60_000]) await outbound(ctx, `https://${host}/`, { deadlineMs })
  expect(timeout.mock.calls.flat()).toEqual([1_000, 15_000, 15_000])
})

test('a redirect is returned or refused if the call says so, and its target is not called', async () => {
  network.mockImplementation(async () => redirect('https://elsewhere.example.org/', 307))
  expect((await outbound(ctx, `https://${host}/`, { redirect: 'manual' })).status).toBe(307)
  for (const method of ['GET', 'POST']) {
    const refused = outbound(ctx, `https://${host}/`, { method, redirect: 'error' })
    await expect(refused).rejects.toMatchObject({ detail: `${host} redirects` })
  }
  expect(new Set(calledUrls())).toEqual(new Set([`https://${host}/`]))
})

test('callers with breakers of their own neither open the breaker of a shared host nor wait for it', async () => {
  network.mockImplementation(async (url) => new Response(null, { status: url.pathname === '/dead' ? 503 : 200 }))
  const post = (path: string, hasBreaker: boolean) =>
    outbound(ctx, `https://${host}${path}`, { method: 'POST', hasBreaker })
  for (let n = 0; n < 30; n++) expect((await post('/dead', true)).status).toBe(503)
  expect((await post('/healthy', false)).status).toBe(200)
  for (let n = 0; n < 30; n++) await post('/dead', false).catch(() => {})
  await expect(post('/healthy', false)).rejects.toMatchObject({ code: 'unavailable' })
  expect((await post('/healthy', true)).status).toBe(200)
})

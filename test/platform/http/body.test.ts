import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { callNotes, isolateNotes, logLines, postNote, problemCodeOf, reached } from '../../support/notes-app.ts'

isolateNotes()
afterEach(() => void vi.useRealTimers())

/** A body stream of `size` bytes without Content-Length, and the number of bytes read from it. */
function stream(size: number) {
  const chunk = new Uint8Array(64 * 1024).fill(120)
  const read = { bytes: 0 }
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (read.bytes >= size) return controller.close()
      read.bytes += chunk.length
      controller.enqueue(chunk)
    },
  })
  return { body, read }
}

test('a streamed body is refused as too large soon after it exceeds the limit, without reading the rest', async () => {
  for (const [type, limit] of [
    ['application/json', 256 * 1024],
    ['multipart/form-data; boundary=b', 12 * 1024 * 1024],
  ] as const) {
    const { body, read } = stream(13 * 1024 * 1024)
    const response = await postNote(body, { 'content-type': type })
    expect(await problemCodeOf(response)).toBe('too_large')
    expect(read.bytes).toBeLessThanOrEqual(limit + 256 * 1024)
  }
  expect(reached).not.toHaveBeenCalled()
})

test('a JSON body of 200 kB, below the limit of 256 KiB, is accepted, streamed or not', async () => {
  const text = JSON.stringify({ text: 'x'.repeat(200_000) })
  expect((await postNote(text)).status).toBe(200)
  expect((await postNote(new Blob([text]).stream())).status).toBe(200)
})

test('a body of another content type or encoding never reaches a JSON handler', async () => {
  const form = new FormData()
  form.set('text', 'x')
  const bodies: [BodyInit, Record<string, string>][] = [
    ['{"text":"x"}', { 'content-type': 'text/plain' }],
    ['{"text":"x"}', { 'content-type': 'text/plain; x=application/json' }],
    ['{"text":"x"}', { 'content-type': 'application/jsonx' }],
    ['{"text":"x"}', { 'content-type': 'text/json' }],
    ['text=x', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['{"text":"x"}', { 'content-type': '' }],
    ['{"text":"x"}', { 'content-encoding': 'gzip' }],
    ['{"text":"x"}', { 'content-encoding': 'identity, gzip' }],
  ]
  for (const [body, headers] of bodies)
    expect(await problemCodeOf(await postNote(body, headers))).toBe('unsupported_media_type')
  const asForm = await callNotes('/v1/notes', { method: 'POST', body: form })
  expect(await problemCodeOf(asForm)).toBe('unsupported_media_type')
  expect(reached).not.toHaveBeenCalled()
})

test('content type parameters are ignored, whatever their spacing, case and quotes', async () => {
  const types = ['application/json;', 'application/json ; charset=utf-8', 'Application/JSON; charset="utf-8"; v=1']
  for (const type of types) expect((await postNote('{"text":"x"}', { 'content-type': type })).status).toBe(200)
  expect((await postNote('{"text":"x"}', { 'content-type': 'text/plain; v=1; x=application/json' })).status).toBe(415)
})

test('JSON that is malformed or nested more than 16 levels deep is refused', async () => {
  const nested = (depth: number) => `{"more":${'['.repeat(depth)}${']'.repeat(depth)}}`
  for (const body of ['{', ' ', '[1,', '{"text":"x"', '"', nested(16), nested(100_000), '['.repeat(200_000)]) {
    expect(await problemCodeOf(await postNote(body))).toBe('bad_request')
  }
  expect(await problemCodeOf(await postNote(nested(16), { 'content-type': 'application/vnd.api+json' }))).toBe(
    'bad_request',
  )
  expect(reached).not.toHaveBeenCalled()
  for (const body of [
    nested(15),
    JSON.stringify({ text: '[{"\\'.repeat(1_000) }),
    '{"text":"\\"[[[[[[[[[[[[[[[[[[[["}',
  ]) {
    expect((await postNote(body)).status).toBe(200)
  }
})

test('an empty body is treated like {}, whatever its content type', async () => {
  const like = await postNote('{}')
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=b', 'multipart/form-data', '']) {
    for (const body of ['', new Blob([]).stream(), null]) {
      const response = await postNote(body, { 'content-type': type })
      expect([type, response.status, await response.json()]).toEqual([type, like.status, {}])
    }
  }
})

test('JSON that is not UTF-8 is refused, and a byte order mark is skipped', async () => {
  const bytes = (...parts: (string | number[])[]) =>
    new Blob(parts.map((part) => (typeof part === 'string' ? part : new Uint8Array(part)))).arrayBuffer()
  for (const part of [[0xe9], [0xc3], [0xed, 0xa0, 0x80], [0xff, 0xfe]]) {
    const response = await postNote(await bytes('{"text":"caf', part, '"}'))
    expect(await response.json()).toMatchObject({ code: 'bad_request', detail: 'JSON must be UTF-8' })
  }
  expect(reached).not.toHaveBeenCalled()
  const valid = await postNote(await bytes([0xef, 0xbb, 0xbf], '{"text":"caf', [0xc3, 0xa9], ' \ufffd"}'))
  expect(await valid.json()).toEqual({ text: 'café \ufffd' })
})

test('the refusal of a body names the accepted type or size', async () => {
  const detailOf = async (response: Response) => (await response.json<{ detail?: string }>()).detail
  expect(await detailOf(await postNote('{"text":"x"}', { 'content-type': 'text/plain' }))).toContain('application/json')
  expect(await detailOf(await postNote('x'.repeat(300_000)))).toBe('A JSON body may have at most 262144 bytes')
  const form = { 'content-type': 'multipart/form-data; boundary=b' }
  expect(await detailOf(await postNote('x'.repeat(13_000_000), form))).toBe('A form may have at most 12582912 bytes')
})

test('unbalanced quotes and backslashes are scanned in linear time', async () => {
  // A scan that backtracks would take minutes for these bodies and exceed the timeout of the test.
  const hostile = ['"\\'.repeat(120_000), '\\"'.repeat(120_000), `"${'\\'.repeat(200_000)}`]
  for (const body of Array(3).fill(hostile).flat()) {
    expect(await problemCodeOf(await postNote(body))).toBe('bad_request')
  }
})

/** Posts the start of a body. Then the stream fails with `error`, or sends no more. `headers` may declare a length. */
function postPart(type: string, headers: Record<string, string>, error?: Error) {
  const waits = Promise.withResolvers<void>()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"text":')),
    pull: (controller) => {
      waits.resolve()
      return error ? controller.error(error) : new Promise(() => {})
    },
  })
  const METRICS = { writeDataPoint: vi.fn() }
  const init = { method: 'POST', body, headers: { 'content-type': type, ...headers } }
  return {
    response: callNotes('/v1/notes', init, { ...env, METRICS }),
    waits: waits.promise,
    measured: METRICS.writeDataPoint,
  }
}

const partial = [
  ['application/json', { 'content-length': '20' }],
  ['application/json', {}],
  ['multipart/form-data; boundary=b', {}],
] as const

test('a client that disconnects while it sends a body is a failure of the client, not of the system', async () => {
  for (const [type, headers] of partial) {
    logLines.length = 0
    const { response, measured } = postPart(type, headers, new Error('Network connection lost.'))
    expect(await problemCodeOf(await response)).toBe('bad_request')
    expect(logLines).toMatchObject([{ level: 'info', message: 'request', status: 400 }])
    expect(measured.mock.calls).toMatchObject([[{ doubles: expect.arrayContaining([400]) }]])
  }
  expect(reached).not.toHaveBeenCalled()
})

test('a body that does not arrive in time is refused when the time is over, and not earlier', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  for (const [type, headers] of partial) {
    logLines.length = 0
    const { response, waits, measured } = postPart(type, headers)
    const settled = vi.fn()
    void response.then(settled)
    await waits
    const deadline = type.startsWith('multipart') ? 120_000 : 30_000
    await vi.advanceTimersByTimeAsync(deadline - 1)
    expect(settled).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(await problemCodeOf(await response)).toBe('request_timeout')
    expect(logLines).toMatchObject([{ level: 'info', status: 408 }])
    expect(measured.mock.calls).toMatchObject([[{ doubles: expect.arrayContaining([408]) }]])
  }
  expect(reached).not.toHaveBeenCalled()
})

test('a body that arrives in time leaves no timer behind', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { body } = stream(64 * 1024)
  expect((await postNote('{"text":"x"}')).status).toBe(200)
  expect((await postNote(body)).status).toBe(400)
  expect(vi.getTimerCount()).toBe(0)
})

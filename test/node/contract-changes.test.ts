import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { breakingChanges } from '../../scripts/contract-changes.ts'
import { contract, json, ref, text } from './sample-contract.ts'

type Change = (sample: ReturnType<typeof contract>) => unknown

function found(change: Change, now = '2026-12-01'): string[] {
  const changed = contract()
  change(changed)
  return breakingChanges({ released: contract().document, current: changed.document }, Date.parse(now))
}

const harmless: [string, Change][] = [
  ['nothing', () => {}],
  ['a new operation', ({ paths, post }) => (paths['/more'] = { get: post })],
  ['a new field of a response', ({ own }) => (own.properties!.more = text())],
  ['a new optional field of a request', ({ input }) => (input.properties!.more = text())],
  ['a new optional parameter', ({ post }) => post.parameters!.push({ in: 'query', name: 'more', schema: text() })],
  ['a request field that may now be absent', ({ input }) => (input.required = [])],
  ['a response field that is now always present', ({ own }) => own.required!.push('count')],
  ['a longer text in a request', ({ input }) => (input.properties!.text!.maxLength = 200)],
  ['a response field that is no longer null', ({ own }) => (own.properties!.note = text())],
  ['a new value of an open enum', ({ schemas }) => schemas.Mood!.enum!.push('bad')],
  ['a new value of a parameter', ({ post }) => post.parameters![1]!.schema.enum!.push('green')],
  ['a new failure status', ({ post }) => (post.responses[409] = { content: json(ref('Note')) })],
  ['a removed failure status', ({ post }) => delete post.responses[422]],
  ['a stated default style', ({ post }) => Object.assign(post.parameters![1]!, { style: 'form', explode: true })],
  ['an answer to conditional requests', ({ post }) => (post.responses[304] = {})],
  ['a new header', ({ post }) => (post.responses[201]!.headers!.ETag = { schema: text() })],
  ['a public operation that used to need a token', ({ post }) => (post.security = [])],
  [
    'a renamed schema of equal shape',
    ({ schemas, own }) => [
      Object.assign(schemas, { Sort: schemas.Kind }),
      Object.assign(own.properties!, { kind: ref('Sort') }),
    ],
  ],
  ['a new message', ({ document }) => Object.assign(document.components.messages, { Read: { payload: ref('Line') } })],
]

test.each(harmless)('%s breaks no client', (_, change) => {
  expect(found(change)).toEqual([])
})

const breaking: [string, Change, string][] = [
  [
    'a higher role that is now needed',
    ({ post }) => Object.assign(post, { 'x-access': 'admin' }),
    'now needs a higher role',
  ],
  ['a body that is now needed', ({ post }) => Object.assign(post.requestBody!, { required: true }), 'now needs a body'],
  [
    'another default',
    ({ input }) => Object.assign(input.properties!.text!, { default: 'x' }),
    'body.text: default has changed',
  ],
  [
    'a request without other fields',
    ({ input }) => Object.assign(input, { additionalProperties: false }),
    'body: other fields are refused',
  ],
  [
    'a response field without a type',
    ({ own }) => delete own.properties!.count!.type,
    '201.count: type is no longer described',
  ],
  [
    'an end that is moved forward',
    ({ paths }) => Object.assign(paths['/old']!.get!, { 'x-sunset': '2026-12-31' }),
    'ends earlier',
  ],
  [
    'another address of a channel',
    ({ document }) => Object.assign(document.channels.socket, { address: '/v2' }),
    'the address has changed',
  ],
  [
    'a removed parameter of a channel',
    ({ document }) => Reflect.deleteProperty(document.channels.socket.bindings.ws.query.properties, 'ticket'),
    'socket?.ticket: was removed',
  ],
  [
    'a message that a channel lacks',
    ({ document }) => Reflect.deleteProperty(document.channels.socket.messages, 'Written'),
    'no longer has the message Written',
  ],
  ['a removed operation', ({ paths }) => delete paths['/notes'], 'POST /notes: was removed'],
  ['a deprecated operation before its end', ({ paths }) => delete paths['/old'], 'GET /old: was removed'],
  ['another operation id', ({ post }) => (post.operationId = 'addNote'), 'operationId has changed'],
  ['another scope', ({ post }) => (post['x-scope'] = 'notes'), 'x-scope has changed'],
  ['a token that is now needed', ({ post }) => (post.security = [{ bearer: [] }]), 'now needs a token'],
  ['a fresh login that is now needed', ({ post }) => (post['x-fresh'] = true), 'now needs a fresh login'],
  ['no more idempotency', ({ post }) => delete post['x-idempotent'], 'no longer accepts an idempotency key'],
  ['a removed parameter', ({ post }) => post.parameters!.shift(), 'the parameter query draft was removed'],
  [
    'a required parameter',
    ({ post }) => (post.parameters![0]!.required = true),
    'the parameter query draft is now required',
  ],
  [
    'a removed value of a parameter',
    ({ post }) => post.parameters![1]!.schema.enum!.pop(),
    'the value blue is not expected',
  ],
  [
    'a new required field of a request',
    ({ input }) => [Object.assign(input.properties!, { more: text() }), input.required!.push('more')],
    'body.more: is now required',
  ],
  ['a removed field of a request', ({ input }) => delete input.properties!.kind, 'body.kind: was removed'],
  [
    'a shorter text in a request',
    ({ input }) => (input.properties!.text!.maxLength = 50),
    'body.text: maxLength has changed',
  ],
  [
    'a new pattern in a request',
    ({ input }) => (input.properties!.text!.pattern = '^a'),
    'body.text: pattern has changed',
  ],
  [
    'other items in a request',
    ({ input }) => (input.properties!.tags!.items = { type: 'integer' }),
    'body.tags[]: the type string is not expected',
  ],
  ['a removed field of a response', ({ own }) => delete own.properties!.text, '201.text: was removed'],
  ['a removed field of a base schema', ({ schemas }) => delete schemas.Named!.properties!.id, '201.id: was removed'],
  ['a response field that may now be absent', ({ own }) => own.required!.shift(), '201.text: may now be absent'],
  [
    'a response field that may now be null',
    ({ own }) => (own.properties!.text!.type = ['string', 'null']),
    '201.text: the type null is not expected',
  ],
  [
    'another type in a response',
    ({ own }) => (own.properties!.count = text()),
    '201.count: the type string is not expected',
  ],
  [
    'another format in a response',
    ({ schemas }) => delete schemas.Named!.properties!.id!.format,
    '201.id: format has changed',
  ],
  [
    'a new value of a closed enum',
    ({ schemas }) => schemas.Kind!.enum!.push('huge'),
    '201.kind: the value huge is not expected',
  ],
  [
    'a removed value of an enum in a request',
    ({ schemas }) => schemas.Kind!.enum!.pop(),
    'body.kind: the value long is not expected',
  ],
  [
    'a new variant in a response',
    ({ schemas }) => schemas.Part!.oneOf!.push(ref('Named')),
    '201.parts[]: the variant Named is not expected',
  ],
  [
    'a removed field of a variant',
    ({ schemas }) => delete schemas.Image!.properties!.url,
    '201.parts[].url: was removed',
  ],
  [
    'another success status',
    ({ post }) => Object.assign(post, { responses: { 200: post.responses[201] } }),
    'the status 201 was removed',
  ],
  ['another content type', ({ post }) => (post.responses[201]!.content = {}), '201: application/json was removed'],
  ['a removed header', ({ post }) => (post.responses[201]!.headers = {}), '201: the header Location was removed'],
  [
    'a header that may now be absent',
    ({ post }) => (post.responses[201]!.headers!.Location!.required = false),
    '201: the header Location may now be absent',
  ],
  [
    'another type of a header',
    ({ post }) => (post.responses[201]!.headers!.Location!.schema = { type: 'integer' }),
    '201: the header Location: the type integer is not expected',
  ],
  [
    'a list that is written in another way',
    ({ post }) => (post.parameters![1]!.explode = false),
    'the parameter query color: style or explode has changed',
  ],
  ['a redirect', ({ post }) => (post.responses[307] = {}), 'the status 307 is new'],
  [
    'a removed message',
    ({ document }) => Reflect.deleteProperty(document.components.messages, 'Written'),
    'Written: was removed',
  ],
  ['a removed field of a message', ({ schemas }) => delete schemas.Line!.properties!.line, 'Written.line: was removed'],
]

test.each(breaking)('%s breaks clients', (_, change, sentence) => {
  expect(found(change).filter((line) => line.includes(sentence))).toHaveLength(1)
})

test('a deprecated operation may be removed once its end has passed', () => {
  expect(found(({ paths }) => delete paths['/old'], '2027-01-02')).toEqual([])
})

test('the check refuses a breaking change of the committed contract, and releases nothing then', () => {
  const folder = mkdtempSync(join(tmpdir(), 'socialconnect-contract-'))
  try {
    cpSync('test/contract', join(folder, 'test/contract'), { recursive: true })
    const script = join(process.cwd(), 'scripts/check-contract.ts')
    const check = (...args: string[]) =>
      spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' })
    const file = (name: string) => join(folder, `test/contract/${name}.json`)
    cpSync(file('openapi'), file('released-openapi'))
    cpSync(file('asyncapi'), file('released-asyncapi'))
    expect(check()).toMatchObject({ status: 0, stderr: '' })
    const released = readFileSync(file('released-openapi'), 'utf8')
    writeFileSync(file('openapi'), released.replaceAll('"likeCount"', '"likes"'))
    for (const args of [[], ['--release']]) {
      const { status, stderr } = check(...args)
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining('GET /v1/posts/{postId}: 200.likeCount: was removed\n'),
      ])
    }
    expect(readFileSync(file('released-openapi'), 'utf8')).toBe(released)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

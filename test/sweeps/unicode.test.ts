import { beforeAll, expect, test } from 'vitest'
import { fingerprint } from '../support/fingerprint.ts'
import { png } from '../support/images.ts'
import { drained } from '../support/outboxes.ts'
import { trustTestKey } from '../support/tokens.ts'
import { callAsAdmin, queryOf } from './admin.ts'
import { examples } from './examples.ts'
import { operations } from './operations.ts'

beforeAll(async () => {
  await trustTestKey()
  await callAsAdmin(operations[0]!) // creates the admin's account before a test compares rows
})

const json = { 'content-type': 'application/json' }
const withJson = operations.filter(({ body }) => body?.type === 'application/json')
const withForm = operations.filter(({ body }) => body?.type === 'multipart/form-data')
/** Not UTF-8: a lone byte, a cut sequence, a surrogate, an overlong slash and a code point above the last one. */
const invalidBytes = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80]]
const escaped = (bytes: number[]) => bytes.map((byte) => `%${byte.toString(16)}`).join('')

const bytesOf = (...parts: (string | ArrayLike<number>)[]) =>
  new Blob(parts.map((part) => (typeof part === 'string' ? part : new Uint8Array(part)))).arrayBuffer()

/** Runs `refuse` and expects that no database row and no stored object has changed. */
async function expectNothingStored(refuse: () => Promise<void>): Promise<void> {
  await drained()
  const before = await fingerprint()
  await refuse()
  expect(await fingerprint()).toEqual(before)
}

test('a JSON body with half of a surrogate pair in any string or key is refused', async () => {
  await expectNothingStored(async () => {
    for (const operation of withJson) {
      const valid = { ...Object(operation.body!.example) }
      const strings = Object.keys(valid).filter((name) => operation.body!.schema.properties?.[name]?.type !== 'array')
      const variants = [...strings.map((name) => ({ ...valid, [name]: '?' })), { ...valid, '?': 1 }]
      for (const half of ['\\ud800', 'a\\uDFFFb', '\\ude00\\ud83d', '\\ud83d\\ud83d\\ude00']) {
        for (const variant of variants) {
          const body = JSON.stringify(variant).replace('?', half)
          const { status, body: problem } = await callAsAdmin(operation, { body, headers: json })
          expect({ id: operation.id, body, status, problem }).toMatchObject({
            status: 400,
            problem: { code: 'bad_request', detail: 'JSON must not contain half of a surrogate pair' },
          })
        }
      }
    }
  })
})

test('a JSON body that is not UTF-8 is refused', async () => {
  await expectNothingStored(async () => {
    for (const operation of withJson) {
      for (const bytes of invalidBytes) {
        const body = await bytesOf('{"text":"', bytes, '"}')
        const { status, body: problem } = await callAsAdmin(operation, { body, headers: json })
        expect({ id: operation.id, status, problem }).toMatchObject({
          status: 400,
          problem: { detail: 'JSON must be UTF-8' },
        })
      }
    }
  })
})

test('a form whose names, texts or file names are not UTF-8 is refused, and files may have any bytes', async () => {
  const part = (disposition: (string | number[])[], ...content: (string | ArrayLike<number>)[]) => [
    '--b\r\nContent-Disposition: form-data; ',
    ...disposition,
    '\r\n\r\n',
    ...content,
    '\r\n',
  ]
  const file = part(['name="file"; filename="x.png"'], png())
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  for (const operation of withForm) {
    await expectNothingStored(async () => {
      for (const bytes of invalidBytes) {
        const forms = [
          [...file, ...part(['name="alt"'], 'a dusk ', bytes)],
          [...part(['name="alt"'], bytes), ...file],
          [...part(['name="alt; filename=x"'], bytes), ...file],
          [...file, ...part(['name="', bytes, '"'], 'x')],
          part(['name="file"; filename="', bytes, '.png"'], png()),
        ]
        for (const form of forms) {
          const { status, body } = await callAsAdmin(operation, { body: await bytesOf(...form, '--b--\r\n'), headers })
          const detail = 'The names and texts of a form must be UTF-8'
          expect({ id: operation.id, status, body }).toMatchObject({ status: 400, body: { detail } })
        }
        for (const body of [`alt=${escaped(bytes)}`, await bytesOf('alt=', bytes)]) {
          const type = { 'content-type': 'application/x-www-form-urlencoded' }
          expect((await callAsAdmin(operation, { body, headers: type })).status).toBe(400)
        }
      }
    })
    const alt = 'alt' in (operation.body!.schema.properties ?? {}) ? part(['name="alt"'], 'dämmerung \ufffd') : []
    const valid = await bytesOf(...file, ...alt, '--b--\r\n')
    expect((await callAsAdmin(operation, { body: valid, headers })).status).toBe(operation.success)
  }
})

test('a path or query with percent-encoded bytes that are not UTF-8 is refused', async () => {
  const refused = { status: 400, body: { detail: 'The URL must be percent-encoded UTF-8' } }
  for (const operation of operations) await queryOf(operation)
  await expectNothingStored(async () => {
    for (const operation of operations) {
      for (const text of invalidBytes.map(escaped)) {
        const inQuery = await callAsAdmin(operation, { query: `?q=a${text}` })
        expect({ id: operation.id, text, ...inQuery }).toMatchObject(refused)
        if (!operation.path.includes('{')) continue
        expect({ id: operation.id, text, ...(await callAsAdmin(operation, { parameter: text })) }).toMatchObject(
          refused,
        )
      }
    }
  })
}, 120_000)

test('an Idempotency-Key with anything but printable ASCII is refused', async () => {
  const creations = operations.filter(({ idempotent }) => idempotent)
  await expectNothingStored(async () => {
    for (const operation of creations) {
      const { json: make, form } = examples[operation.id]!
      for (const key of ['caf\u00e9', '\u00ff', 'a\u00a0b', 'a\tb']) {
        const request = { json: await make?.(), body: form?.(), headers: { 'idempotency-key': key } }
        const { status, body } = await callAsAdmin(operation, request)
        const errors = [{ field: 'idempotency-key', message: 'may contain printable ASCII characters only' }]
        expect({ id: operation.id, key, status, body }).toMatchObject({ status: 422, body: { errors } })
      }
    }
  })
})

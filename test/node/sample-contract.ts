import type { Contract, Operation } from '../../scripts/contract-changes.ts'
import type { Schema } from '../../scripts/schema-changes.ts'

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
export const json = (schema: Schema) => ({ 'application/json': { schema } })
export const text = (more: Schema = {}): Schema => ({ type: 'string', ...more })

/** A small contract with every kind of part that is compared. */
export function contract() {
  const post: Operation = {
    operationId: 'writeNote',
    tags: ['notes'],
    security: [{}],
    'x-scope': 'notes:write',
    'x-idempotent': true,
    parameters: [
      { in: 'query', name: 'draft', schema: { type: 'boolean' } },
      { in: 'query', name: 'color', schema: text({ enum: ['red', 'blue'] }) },
    ],
    requestBody: { content: json(ref('NewNote')) },
    responses: {
      201: { headers: { Location: { required: true, schema: text() } }, content: json(ref('Note')) },
      422: { content: json(ref('Note')) },
    },
  }
  const schemas: Record<string, Schema> = {
    NewNote: {
      type: 'object',
      properties: { text: text({ maxLength: 100 }), kind: ref('Kind'), tags: { type: 'array', items: text() } },
      required: ['text'],
    },
    Note: {
      allOf: [
        ref('Named'),
        {
          type: 'object',
          properties: {
            text: text(),
            kind: ref('Kind'),
            mood: ref('Mood'),
            parent: { anyOf: [ref('Note'), { type: 'null' }] },
            count: { type: 'integer' },
            parts: { type: 'array', items: ref('Part') },
            note: { type: ['string', 'null'] },
          },
          required: ['text', 'kind', 'parent'],
        },
      ],
    },
    Named: { type: 'object', properties: { id: text({ format: 'uuid' }) }, required: ['id'] },
    Kind: text({ enum: ['short', 'long'] }),
    Mood: text({ enum: ['good'], 'x-open': true }),
    Part: { oneOf: [ref('Line'), ref('Image')] },
    Line: { type: 'object', properties: { line: text() }, required: ['line'] },
    Image: { type: 'object', properties: { url: text() }, required: ['url'] },
  }
  const old: Operation = { operationId: 'readOld', deprecated: true, 'x-sunset': '2027-01-01', responses: { 200: {} } }
  const messages = { Written: { payload: ref('Line') } }
  const query = { type: 'object', properties: { ticket: text() } }
  const channels = { socket: { address: '/v1', messages: { Written: {} }, bindings: { ws: { query } } } }
  const document = {
    channels,
    paths: { '/notes': { post }, '/old': { get: old } },
    components: { schemas, messages },
  } satisfies Contract
  const own = schemas.Note!.allOf![1]!
  return {
    document,
    post,
    schemas,
    own,
    input: schemas.NewNote!,
    messages,
    paths: document.paths as Contract['paths'] & object,
  }
}

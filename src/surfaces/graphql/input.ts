import type { z } from '@hono/zod-openapi'
import { notFound } from '../../platform/failures.ts'
import { IdempotencyKey } from '../../platform/http/openapi.ts'
import type { Operation } from '../../platform/http/operation.ts'
import { parseWith } from '../../platform/http/problems.ts'
import { recordId } from './global-id.ts'
import { shapeOf } from './shape.ts'

type Given = Record<string, unknown>

/** Parses the arguments of a field with the schemas of its operation. Throws `not_found` or `invalid`, like REST. */
export function parseInput({ params, query, body }: Operation, { input, ...args }: Given): Given {
  const own = (schema: z.ZodObject) => Object.fromEntries(Object.keys(schema.shape).map((name) => [name, args[name]]))
  const parts: unknown[] = []
  if (body) parts.push(parseWith(body, plain(body, input)))
  if (query) parts.push(parseWith(query, texts(plain(query, own(query)))))
  if (params) parts.push(parseWith(params, texts(plain(params, own(params))), notFound))
  return Object.assign({}, ...parts)
}

/** The key of an idempotent operation. Throws `invalid`. */
export function parseKey({ idempotencyKey }: Given): string | undefined {
  const key = idempotencyKey ?? undefined
  return parseWith(IdempotencyKey, { 'idempotency-key': key })['idempotency-key']
}

/** The value as REST would get it: with ids of records instead of global ids, and without optional fields that are null. */
function plain(schema: unknown, value: unknown, name = ''): unknown {
  const shape = shapeOf(schema)
  if (shape.kind === 'object' && typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => [key, fieldOf(shape.schema, key, field)])
    return Object.fromEntries(fields.filter(([, field]) => field !== undefined))
  }
  if (shape.kind === 'list' && Array.isArray(value)) return value.map((item) => (isId(shape.item) ? idIn(item) : item))
  return isId(shape) ? idIn(value, name) : value
}

function fieldOf({ shape }: z.ZodObject, name: string, value: unknown): unknown {
  const schema = shape[name]
  if (!schema) return value
  const { optional, nullable } = shapeOf(schema)
  return value === null && optional && !nullable ? undefined : plain(schema, value, name)
}

const isId = (shape: ReturnType<typeof shapeOf>) => shape.kind === 'scalar' && shape.scalar === 'ID'

/** `accountId` takes the id of an account only; other names do not tell the kind. */
function idIn(value: unknown, name = ''): unknown {
  const [, noun] = /^(account|post)Id$/.exec(name) ?? []
  const kind = noun ? `${noun[0]?.toUpperCase()}${noun.slice(1)}` : null
  return typeof value === 'string' ? recordId(value, kind) : value
}

/** Paths and queries consist of texts. */
function texts(values: unknown): Given {
  const entries = Object.entries(Object(values)).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

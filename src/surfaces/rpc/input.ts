import { z } from '@hono/zod-openapi'
import { Failure, notFound } from '../../platform/failures.ts'
import type { Operation } from '../../platform/http/operation.ts'
import { parseWith } from '../../platform/http/problems.ts'

type Fields = Record<string, unknown>

const Fields = z.record(z.string(), z.unknown())
const Nothing = z.strictObject({})
/** Far above any valid input. Text is limited as in a JSON body. */
const MAX_PARTS = 10_000
const MAX_TEXT = 256 * 1024

/**
 * Parses path parameters, query and body, given as one object, with the schemas of the operation. Throws `not_found`
 * for a malformed id of the path, and `invalid` with one entry per field, like REST. Fields of no part are unknown.
 */
export function parseInput({ params, query, body }: Operation, input: unknown): Fields {
  const fields = parseWith(Fields, input ?? {})
  requirePlain(fields)
  const inPath = picked(params, fields)
  const inQuery = picked(query, fields)
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in inPath) && !(name in inQuery)))
  const path = params ? parseWith(params, inPath, notFound) : {}
  // Without a body, the remaining fields are unknown ones of the query, so that its schema names them.
  const texts = textsOf(body ? inQuery : { ...inQuery, ...rest })
  const asked = parseWith(query ?? Nothing, texts)
  return { ...(body && Object(parseWith(body, filesOf(rest)))), ...asked, ...path }
}

function picked(schema: z.ZodObject | undefined, fields: Fields): Fields {
  const names = Object.keys(schema?.shape ?? {}).filter((name) => Object.hasOwn(fields, name))
  return Object.fromEntries(names.map((name) => [name, fields[name]]))
}

/** JSON is checked before it is parsed, but objects from another Worker may hold any text, or refer to themselves. */
function requirePlain(input: object): void {
  const parts = new Set<unknown>([input])
  let length = 0
  for (const part of parts) {
    if (typeof part === 'string') length += part.length
    if (parts.size > MAX_PARTS || length > MAX_TEXT) throw new Failure('too_large', 'The input is too large')
    if (typeof part === 'string' && !part.isWellFormed())
      throw new Failure('bad_request', 'A text is not valid Unicode')
    for (const inner of partsOf(part)) parts.add(inner)
  }
}

/** Bytes are left out: no operation takes them outside of a `Blob`. */
function partsOf(value: unknown): unknown[] {
  const isLeaf = typeof value !== 'object' || value === null || value instanceof Blob
  return isLeaf || value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? [] : Object.entries(value).flat()
}

function textsOf(fields: Fields): Fields {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, textOf(value)]))
}

function textOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}

function filesOf(fields: Fields): Fields {
  const files = Object.entries(fields).map(([name, value]) => [name, value instanceof Blob ? fileOf(value) : value])
  return Object.fromEntries(files)
}

function fileOf(blob: Blob): File {
  return blob instanceof File ? blob : new File([blob], 'file', { type: blob.type })
}

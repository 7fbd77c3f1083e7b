import type { OpenAPIHono } from '@hono/zod-openapi'
import { declaredFailures } from '../failures.ts'

export type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>

/** The part of the schemas of OpenAPI 3.1 that the generator writes. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  format?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  enum?: unknown[]
  minimum?: number
  example?: unknown
}

/** Corrects what the generator writes for references, and lists the failure codes that the services declare. */
export function finishSchemas(document: Document): void {
  const codes = document.components?.schemas?.FailureCode
  if (codes) Object.assign(codes, { enum: declaredFailures().map(({ code }) => code) })
  simplify(document)
}

/**
 * The generator puts a reference and what is added to it into `allOf`. Null never satisfies that, and clients get a
 * nameless type. Nullable references become `anyOf`; OpenAPI 3.1 allows other additions beside the reference.
 */
function simplify(part: object & Schema): void {
  const [reference, added, ...others] = part.allOf ?? []
  if (reference?.$ref && added && others.length === 0 && !added.properties) {
    const { type, ...rest } = added
    delete part.allOf
    Object.assign(part, type?.includes('null') ? { anyOf: [reference, { type: 'null' }] } : reference, rest)
  }
  for (const inner of Object.values(part)) if (typeof inner === 'object' && inner !== null) simplify(inner)
}

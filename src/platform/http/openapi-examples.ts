import type { Document, Schema } from './openapi-schemas.ts'

type Schemas = Record<string, Schema>

const TIME = '2026-03-14T09:26:53.589Z'

/**
 * Composes an example of each named schema from the examples of its parts, and refers to it from the responses. The
 * example of an object schema may name only some fields: those that differ from the examples of their own schemas.
 */
export function addExamples({ components, paths = {} }: Document): void {
  const schemas: Schemas = components?.schemas ?? {}
  const examples: Record<string, { value: unknown }> = {}
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    for (const { content = {} } of Object.values<Answer>(operation.responses)) {
      const media = content['application/json']
      const name = media?.schema?.$ref?.split('/').at(-1)
      if (!media || !name) continue
      examples[name] ??= { value: exampleOf({ $ref: name }, schemas) }
      media.examples = { [name]: { $ref: `#/components/examples/${name}` } }
    }
  }
  for (const schema of Object.values(schemas)) if (schema.properties ?? schema.allOf) deleteExamples(schema)
  Object.assign(components ?? {}, { examples })
}

type Answer = { content?: Record<string, { schema?: Schema; examples?: object }> }

/** Undefined for a text without an example. */
export function exampleOf(schema: Schema, schemas: Schemas): unknown {
  const { $ref, allOf, anyOf, oneOf, properties, items, example } = schema
  if (properties) return objectExample(schema, schemas)
  if (allOf) return Object.assign({}, ...allOf.map((part) => exampleOf(part, schemas)), example)
  if (example !== undefined) return example
  if ($ref) return exampleOf(schemas[$ref.split('/').at(-1) ?? ''] ?? {}, schemas)
  const [first] = anyOf ?? oneOf ?? []
  if (first) return exampleOf(first, schemas)
  if (items) return variantsOf(items, schemas).map((item) => exampleOf(item, schemas))
  return simpleExample(schema)
}

function objectExample({ properties = {}, required = [], example }: Schema, schemas: Schemas): object {
  const given = Object(example)
  const names = Object.keys(properties).filter((name) => required.includes(name) || name in given)
  const fields = names.map((name) => [name, name in given ? given[name] : exampleOf(properties[name] ?? {}, schemas)])
  return Object.fromEntries(fields)
}

/** A list has one example of each variant of its items. */
function variantsOf(items: Schema, schemas: Schemas): Schema[] {
  const named = items.$ref ? schemas[items.$ref.split('/').at(-1) ?? ''] : items
  return named?.oneOf ?? [items]
}

function simpleExample({ type, format, enum: values, minimum = 0 }: Schema): unknown {
  if (values) return values[0]
  if (format === 'date-time') return TIME
  if (type === 'boolean') return false
  if (type === 'integer') return minimum
  return type?.includes('null') ? null : undefined
}

function deleteExamples(schema: Schema): void {
  delete schema.example
  for (const part of schema.allOf ?? []) if (part.properties) delete part.example
}

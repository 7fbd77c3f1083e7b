import { dereference, type Schema as JsonSchema, validate } from '@cfworker/json-schema'
import { document, type Operation, operations, type Schema } from '../sweeps/operations.ts'

/** Headers for transport and for browser security, which the document does not describe. */
const TRANSPORT =
  /^(content-(type|length|security-policy)|date|vary|allow|x-cost|access-control-.+|cross-origin-.+|origin-agent-cluster|referrer-policy|strict-transport-security|x-(content-type-options|dns-prefetch-control|download-options|frame-options|permitted-cross-domain-policies|xss-protection))$/

/** The same schema, but it refuses fields that it does not declare. */
export function closed(schema: Schema): Schema {
  if (schema.$ref) return { $ref: schema.$ref.replace('#/components/schemas/', '#/$defs/') }
  if (Array.isArray(schema.allOf)) return closed(schema.allOf.map(resolvedPart).reduce(merged))
  const { properties, items, anyOf, oneOf, ...rest } = schema
  return {
    ...rest,
    ...(properties && {
      properties: mapped(properties, closed),
      additionalProperties: schema.additionalProperties ?? false,
    }),
    ...(items && { items: closed(items) }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.map(closed) }),
    ...(Array.isArray(oneOf) && { oneOf: oneOf.map(closed) }),
  }
}

function resolvedPart(part: Schema): Schema {
  const schema = part.$ref ? document.components.schemas[part.$ref.split('/').at(-1)!]! : part
  return Array.isArray(schema.allOf) ? schema.allOf.map(resolvedPart).reduce(merged) : schema
}

const merged = (one: Schema, other: Schema): Schema => ({
  ...one,
  ...other,
  properties: { ...one.properties, ...other.properties },
  required: [...(one.required ?? []), ...(other.required ?? [])],
})

export const mapped = <T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))

type Content = NonNullable<Operation['responses'][string]['content']>
type Media = { schema: JsonSchema }

/** The closed schema of each media type of each response, by operation id and status. */
function validators(contract: readonly Operation[]) {
  const root: JsonSchema = { $defs: mapped(document.components.schemas, closed) as Record<string, JsonSchema> }
  const close = (content: Content = {}): Record<string, Media> =>
    mapped(content, ({ schema }) => ({ schema: closed(schema) as JsonSchema }))
  const responses = mapped(
    Object.fromEntries(
      contract.flatMap(({ id, responses }) => Object.entries(responses).map(([s, r]) => [`${id} ${s}`, r])),
    ),
    ({ content }) => close(content),
  )
  return { responses, lookup: dereference({ ...root, responses }) }
}

const { responses, lookup } = validators(operations)

/** Concrete paths come first, because they take precedence over templates. */
const routes = operations
  .toSorted((one, other) => Number(one.path.includes('{')) - Number(other.path.includes('{')))
  .map((operation) => ({ operation, pattern: new RegExp(`^${operation.path.replace(/\{\w+\}/g, '[^/]+')}$`) }))

export function operationOf(method: string, pathname: string): Operation | undefined {
  const declared = method === 'HEAD' ? 'GET' : method
  return routes.find(({ operation, pattern }) => operation.method === declared && pattern.test(pathname))?.operation
}

/** What differs between a response and the OpenAPI document. `text` is null if the body is not JSON or was not read. */
export function flawsOf(operation: Operation, { status, headers }: Response, text: string | null): string[] {
  const declared = operation.responses[status]
  if (!declared) return [`the status ${status} is not declared`]
  return [
    ...headerFlaws(declared.headers, headers),
    ...bodyFlaws(responses[`${operation.id} ${status}`]!, headers, text),
  ]
}

function headerFlaws(declared: Operation['responses'][string]['headers'], headers: Headers): string[] {
  const known = new Map(Object.entries(declared).map(([name, header]) => [name.toLowerCase(), header]))
  const undeclared = [...headers.keys()].filter((name) => !known.has(name) && !TRANSPORT.test(name))
  const missing = [...known].filter(([name, { required }]) => required && !headers.has(name))
  const wrong = [...known].filter(
    ([name, { schema }]) => schema.type === 'integer' && !/^\d*$/.test(headers.get(name) ?? ''),
  )
  return [
    ...undeclared.map((name) => `the header ${name} is not declared`),
    ...missing.map(([name]) => `the header ${name} is missing`),
    ...wrong.map(([name]) => `the header ${name} is not an integer`),
  ]
}

function bodyFlaws(content: Record<string, Media>, headers: Headers, text: string | null): string[] {
  const type = headers.get('content-type')?.split(';')[0] ?? null
  if (Object.keys(content).length === 0) return type === null && !text ? [] : [`a body of type ${type} is not declared`]
  const media = content[type ?? '']
  if (!media) return [`the content type ${type} is not declared`]
  if (text === null) return []
  const { errors } = validate(JSON.parse(text), media.schema, '2020-12', lookup, false)
  // Each enclosing schema adds an error of its own for the same flaw. These errors are left out.
  const own = errors.filter(({ keyword }) => !['$ref', 'properties', 'items'].includes(keyword)).slice(0, 10)
  return own.map(({ instanceLocation, error }) => `body ${instanceLocation}: ${error}`)
}

/** The part of JSON Schema that the API documents use. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  format?: string
  pattern?: string
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  'x-open'?: boolean
  [keyword: string]: unknown
}
export type Schemas = Record<string, Schema>

/** A released schema and the current one, each with the named schemas of its document, and who sends the values. */
type Pair = {
  released: Schema
  current: Schema
  sentBy: 'client' | 'server'
  named: { released: Schemas; current: Schemas }
}

const MAXIMA = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
const MINIMA = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const NULL: Schema = { type: 'null' }

/**
 * The changes of a schema that break clients, one sentence each. The server must accept all that clients of the released
 * version send, and may send only what they expect. They ignore fields that they do not know, the server refuses those.
 */
export function schemaChanges(pair: Pair, path: string, seen: readonly string[] = []): string[] {
  const visit = [pair.released, pair.current].map(({ $ref, anyOf }) => $ref ?? anyOf?.[0]?.$ref).join(' ')
  if (visit !== ' ' && seen.includes(visit)) return []
  const [released, current] = [flat(pair.released, pair.named.released), flat(pair.current, pair.named.current)]
  const [value, accepted] = pair.sentBy === 'client' ? [released, current] : [current, released]
  const inner = (one: Schema, other: Schema, at: string) =>
    schemaChanges({ ...pair, released: one, current: other }, at, [...seen, visit])
  const isOpen = pair.sentBy === 'server' && released['x-open'] === true
  return [
    ...typeChanges(value, accepted, isOpen).map((change) => `${path}: ${change}`),
    ...fieldChanges(released, current, inner, path),
    ...(accepted.required ?? [])
      .filter((name) => !value.required?.includes(name) && released.properties)
      .map((name) => `${path}.${name}: ${pair.sentBy === 'client' ? 'is now required' : 'may now be absent'}`),
    ...(released.items && current.items ? inner(released.items, current.items, `${path}[]`) : []),
    ...variantChanges(value, accepted, isOpen, path),
    ...(pair.sentBy === 'client' ? inputChanges(released, current, path) : lostSchemas(released, current, path)),
    ...commonVariants(released, current).flatMap(([one, other]) => inner(one, other, path)),
  ]
}

/** The schema without references and `allOf`. A nullable reference becomes the schema with the type null. */
function flat(schema: Schema, named: Schemas): Schema {
  if (schema.$ref) return { ...flat(named[nameOf(schema)] ?? {}, named), ...without(schema, '$ref') }
  if (schema.allOf) return schema.allOf.map((part) => flat(part, named)).reduce(merged, without(schema, 'allOf'))
  const [only, ...others] = (schema.anyOf ?? []).filter(({ type }) => type !== 'null')
  if (!only || others.length > 0) return schema
  const one = flat(only, named)
  return { ...one, type: [...typesOf(one), 'null'], ...(one.enum && { enum: [...one.enum, null] }) }
}

const without = (schema: Schema, keyword: string): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => name !== keyword))

const merged = (one: Schema, other: Schema): Schema => ({
  ...one,
  ...other,
  properties: { ...one.properties, ...other.properties },
  required: [...(one.required ?? []), ...(other.required ?? [])],
})

const nameOf = ({ $ref = '' }: Schema) => $ref.split('/').at(-1) ?? ''
const typesOf = ({ type }: Schema) => [type ?? []].flat()

/** Whether each simple `value` is still `accepted`. */
function typeChanges(value: Schema, accepted: Schema, isOpen: boolean): string[] {
  const types = typesOf(accepted)
  const expected = types.length === 0 ? typesOf(value) : types
  const other = typesOf(value).filter(
    (type) => !expected.includes(type) && !(type === 'integer' && types.includes('number')),
  )
  const values =
    accepted.enum && !isOpen ? (value.enum ?? ['any value']).filter((one) => !accepted.enum?.includes(one)) : []
  const exact = ['format', 'pattern', 'const', 'multipleOf'].filter(
    (keyword) => accepted[keyword] && accepted[keyword] !== value[keyword],
  )
  const high = MAXIMA.filter((bound) => numberOf(accepted, bound, Infinity) < numberOf(value, bound, Infinity))
  const low = MINIMA.filter((bound) => numberOf(accepted, bound, -Infinity) > numberOf(value, bound, -Infinity))
  return [
    ...(other.length > 0 ? [`the type ${other.join(' or ')} is not expected`] : []),
    ...(values.length > 0 ? [`the value ${values.join(', ')} is not expected`] : []),
    ...[...exact, ...high, ...low].map((keyword) => `${keyword} has changed`),
  ]
}

const numberOf = (schema: Schema, bound: string, otherwise: number) => Number(schema[bound] ?? otherwise)

/** What the server does with omitted and with other fields of a request. */
function inputChanges(released: Schema, current: Schema, path: string): string[] {
  const isSame = JSON.stringify(released.default) === JSON.stringify(current.default)
  const isClosed = current.additionalProperties === false && released.additionalProperties !== false
  return [
    ...(isSame ? [] : [`${path}: default has changed`]),
    ...(isClosed ? [`${path}: other fields are refused`] : []),
  ]
}

/** A response whose type or items are no longer described. */
function lostSchemas(released: Schema, current: Schema, path: string): string[] {
  const lost = ['type', 'items', 'properties'].filter((keyword) => released[keyword] && !current[keyword])
  return lost.map((keyword) => `${path}: ${keyword} is no longer described`)
}

type Inner = (released: Schema, current: Schema, path: string) => string[]

function fieldChanges(released: Schema, current: Schema, inner: Inner, path: string): string[] {
  const fields = Object.entries(released.properties ?? {}).flatMap(([name, field]) => {
    const now = current.properties?.[name]
    return now ? inner(field, now, `${path}.${name}`) : [`${path}.${name}: was removed`]
  })
  const [rest, now] = [released.additionalProperties, current.additionalProperties]
  return typeof rest === 'object' && typeof now === 'object' ? [...fields, ...inner(rest, now, `${path}.*`)] : fields
}

const variantsOf = ({ oneOf, anyOf }: Schema) => (oneOf ?? anyOf ?? []).filter((variant) => variant.type !== NULL.type)

function variantChanges(value: Schema, accepted: Schema, isOpen: boolean, path: string): string[] {
  const known = variantsOf(accepted).map(nameOf)
  const unknown = variantsOf(value)
    .map(nameOf)
    .filter((name) => !known.includes(name))
  return isOpen ? [] : unknown.map((name) => `${path}: the variant ${name} is not expected`)
}

function commonVariants(released: Schema, current: Schema): [Schema, Schema][] {
  const now = variantsOf(current)
  return variantsOf(released).flatMap((variant): [Schema, Schema][] => {
    const same = now.find((other) => nameOf(other) === nameOf(variant))
    return same ? [[variant, same]] : []
  })
}

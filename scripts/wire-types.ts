/** The part of OpenAPI 3.1 schemas that the contract uses. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  'x-open'?: boolean
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
}

export type Schemas = Record<string, Schema>

const PAGE_FIELDS = ['items', 'nextCursor', 'previousCursor']

/** The TypeScript source of the component schemas, one type each. Pages without further fields are just `Page<Item>`. */
export function typesSource(schemas: Schemas): string {
  const shapes = new Set(Object.values(schemas).filter(isPage).map(pageShape))
  const generic = [...shapes].map((shape) => `export type Page<Item> = ${shape}`)
  const named = Object.entries(schemas)
    .filter(([, schema]) => !isPage(schema) || hasMore(schema))
    .map(([name, schema]) => `export type ${name} = ${declaration(schema)}`)
  return [...generic, ...named].join('\n\n')
}

const isPage = ({ properties }: Schema) => properties?.items !== undefined && properties.nextCursor !== undefined

/** The fields of a page schema that all pages have, or without `isCommon` the other fields. */
function pagePart(page: Schema, isCommon: boolean): Schema {
  const own = Object.entries(page.properties ?? {}).filter(([name]) => PAGE_FIELDS.includes(name) === isCommon)
  return { ...page, properties: Object.fromEntries(own) }
}

const hasMore = (page: Schema) => Object.keys(pagePart(page, false).properties ?? {}).length > 0

function pageShape(page: Schema): string {
  const common = pagePart(page, true)
  return typeOf({ ...common, properties: { ...common.properties, items: { type: 'array', items: { $ref: 'Item' } } } })
}

function declaration(schema: Schema): string {
  return isPage(schema) ? `${pageType(schema)} & ${typeOf(pagePart(schema, false))}` : typeOf(schema)
}

const pageType = (page: Schema) => `Page<${typeOf(page.properties?.items?.items ?? {})}>`

/** The type of a referenced schema: its name, or `Page<Item>` if it has none. */
export function referenceType(name: string, schemas: Schemas): string {
  const schema = schemas[name]
  return schema && isPage(schema) && !hasMore(schema) ? pageType(schema) : name
}

/** The TypeScript type of a schema. References are to the types of `typesSource`. */
export function typeOf(schema: Schema): string {
  const { $ref, type, allOf, anyOf, oneOf } = schema
  if ($ref) return $ref.split('/').at(-1) ?? $ref
  if (allOf) return allOf.map((part) => `(${typeOf(part)})`).join(' & ')
  const alternatives = anyOf ?? oneOf
  if (alternatives) return alternatives.map(typeOf).join(' | ')
  if (schema.enum) return enumType(schema.enum, schema['x-open'] === true)
  if (Array.isArray(type)) return type.map((name) => simpleType(name, schema)).join(' | ')
  return simpleType(type, schema)
}

/** Later releases may add values to an open enum. Editors still offer the known ones, because the intersection keeps them. */
function enumType(values: unknown[], isOpen: boolean): string {
  const known = values.map((value) => JSON.stringify(value))
  return [...known, ...(isOpen ? ['(string & Record<never, never>)'] : [])].join(' | ')
}

function simpleType(type: string | undefined, schema: Schema): string {
  switch (type) {
    case 'object':
      return objectType(schema)
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`
    case 'string':
      return schema.format === 'binary' ? 'Blob' : 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
    case 'null':
      return type
    default:
      throw new Error(`The client cannot express the schema ${JSON.stringify(schema)}`)
  }
}

function objectType({ properties = {}, required = [], additionalProperties: rest }: Schema): string {
  if (typeof rest === 'object') return `Record<string, ${typeOf(rest)}>`
  const members = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? '' : '?'
    return `${JSON.stringify(name)}${optional}: ${typeOf(schema)}`
  })
  return `{ ${members.join('; ')} }`
}

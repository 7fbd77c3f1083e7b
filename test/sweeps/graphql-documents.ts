import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql'
import { channels, services } from '../../src/registry.ts'
import { queryName } from '../../src/surfaces/graphql/roots.ts'
import { schemaOf } from '../../src/surfaces/graphql/schema.ts'

export const schema = schemaOf({ services, channels })

type Field = GraphQLField<unknown, unknown>

/** The root field that runs an operation; undefined for an operation that is only offered over REST. */
export function fieldOf(operationId: string): { kind: 'query' | 'mutation'; field: Field } | undefined {
  const query = schema.getQueryType()?.getFields()[queryName(operationId)]
  if (query) return { kind: 'query', field: query }
  const mutation = schema.getMutationType()?.getFields()[operationId]
  return mutation && { kind: 'mutation', field: mutation }
}

/** Operations whose records have records of their own that no other operation returns. */
const deep = new Set(['listAllowedApps', 'getRetention', 'listMessages'])

/** A document that runs an operation and selects every field below it, down to `depth` levels of records. */
export function documentOf(
  operationId: string,
  values: Record<string, unknown>,
  depth = deep.has(operationId) ? 2 : 1,
) {
  const { kind, field } = fieldOf(operationId)!
  const given = field.args.filter(({ name }) => values[name] !== undefined)
  const variables = Object.fromEntries(given.map(({ name, type }) => [name, inputFor(type, values[name])]))
  const declared = given.map(({ name, type }) => `$${name}: ${type}`)
  const passed = given.map(({ name }) => `${name}: $${name}`)
  const selection = `${field.name}${inBrackets(passed)} ${selectionOf(field.type, depth)}`
  return { query: `${kind} ${inBrackets(declared)} { ${selection} }`, variables }
}

const inBrackets = (parts: string[]) => (parts.length > 0 ? `(${parts.join(', ')})` : '')

/** Enum values by their names, instead of those that REST uses. */
function inputFor(type: GraphQLInputType, value: unknown): unknown {
  const named = getNullableType(type)
  if (isListType(named)) return (value as unknown[]).map((item) => inputFor(named.ofType, item))
  if (isEnumType(named)) return named.getValues().find((each) => each.value === value)?.name ?? value
  if (!isInputObjectType(named)) return value
  const fields = named.getFields()
  const entries = Object.entries(value as object)
  return Object.fromEntries(
    entries.map(([name, field]) => [name, fields[name] ? inputFor(fields[name].type, field) : field]),
  )
}

/** All fields of a type without required arguments. Lists have one entry. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type)
  if (isUnionType(named)) {
    const parts = named.getTypes().map((member) => `... on ${member.name} ${selectionOf(member, depth)}`)
    return `{ __typename ${parts.join(' ')} }`
  }
  if (!isObjectType(named) && !isInterfaceType(named)) return ''
  const fields = Object.values(named.getFields()).flatMap((field) => {
    const isRecord = isObjectType(getNamedType(field.type)) && !field.extensions.passes
    if ((isRecord && depth === 0) || field.args.some(({ type }) => isNonNullType(type))) return []
    const first = field.args.some(({ name }) => name === 'first') ? '(first: 1)' : ''
    return [`${field.name}${first} ${selectionOf(field.type, isRecord ? depth - 1 : depth)}`]
  })
  return `{ __typename ${fields.join(' ')} }`
}

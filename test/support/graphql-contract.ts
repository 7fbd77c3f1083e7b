import {
  buildSchema,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql'
import sdl from '../contract/schema.graphql?raw'

const schema = buildSchema(sdl)

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>
type Place = { fragments: Fragments; path: string }

/** What differs between the data of a response and the committed schema, for the first operation of the query. */
export function dataFlaws(query: string, data: unknown): string[] {
  if (data === null || data === undefined) return []
  const { definitions } = parse(query)
  const operation = definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION)!
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  const place = { fragments: new Map(fragments.map((each) => [each.name.value, each])), path: 'data' }
  return recordFlaws(operation.selectionSet, schema.getRootType(operation.operation)!, data as object, place)
}

function recordFlaws(set: SelectionSetNode, type: GraphQLNamedType, data: object, place: Place): string[] {
  const selected = fieldsIn(set, type, data, place.fragments)
  const undeclared = Object.keys(data).filter((key) => !selected.has(key))
  return [
    ...undeclared.map((key) => `${place.path}.${key} was not selected`),
    ...[...selected].flatMap(([key, { type: field, set: below }]) =>
      field ? valueFlaws(field, Reflect.get(data, key), below, { ...place, path: `${place.path}.${key}` }) : [],
    ),
  ]
}

type Selected = Map<string, { type: GraphQLOutputType | undefined; set: SelectionSetNode | undefined }>

function fieldsIn(set: SelectionSetNode, type: GraphQLNamedType, data: object, fragments: Fragments): Selected {
  const actual = schema.getType(String(Reflect.get(data, '__typename'))) ?? type
  const isKnown = isObjectType(actual)
  const found: Selected = new Map()
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const fields = isObjectType(actual) || isInterfaceType(actual) ? actual.getFields() : {}
      const { alias, name, selectionSet } = selection
      found.set((alias ?? name).value, { type: fields[name.value]?.type, set: selectionSet })
      continue
    }
    const part = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value)! : selection
    const condition = part.typeCondition?.name.value
    if (condition && isKnown && condition !== actual.name && condition !== type.name) continue
    const inside = (!isKnown && condition && schema.getType(condition)) || actual
    const fields = fieldsIn(part.selectionSet, inside, data, fragments)
    // Without `__typename`, nothing tells which of several fragments applies.
    for (const [key, value] of fields) if (isKnown || key in data) found.set(key, value)
  }
  return found
}

function valueFlaws(
  type: GraphQLOutputType,
  value: unknown,
  set: SelectionSetNode | undefined,
  place: Place,
): string[] {
  if (isNonNullType(type)) {
    const isMissing = value === null || value === undefined
    return isMissing ? [`${place.path} is ${value}`] : valueFlaws(type.ofType, value, set, place)
  }
  if (value === null) return []
  if (value === undefined) return [`${place.path} is missing`]
  if (isListType(type)) {
    if (!Array.isArray(value)) return [`${place.path} is no list`]
    return value.flatMap((item, i) => valueFlaws(type.ofType, item, set, { ...place, path: `${place.path}.${i}` }))
  }
  if (isLeafType(type)) {
    const isRight = isEnumType(type) ? type.getValue(String(value)) !== undefined : leaves[type.name]?.(value)
    return isRight ? [] : [`${place.path} is no ${type.name}: ${JSON.stringify(value)}`]
  }
  return typeof value === 'object' && set ? recordFlaws(set, type, value, place) : [`${place.path} is no object`]
}

const leaves: Record<string, (value: unknown) => boolean> = {
  ID: (value) => typeof value === 'string',
  String: (value) => typeof value === 'string',
  Boolean: (value) => typeof value === 'boolean',
  Int: (value) => Number.isSafeInteger(value),
  Float: (value) => typeof value === 'number',
  DateTime: (value) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(String(value)),
  StringMap: (value) => Object.values(Object(value)).every((each) => typeof each === 'string'),
}

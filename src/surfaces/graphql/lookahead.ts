import {
  type ConstDirectiveNode,
  type DirectiveNode,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'
import type { Graph } from './graph.ts'

type Given = Record<string, unknown>
/** Starts the nested lists of records, given their rows. */
export type Ahead = (rows: readonly object[]) => void
/** An extension of a field: starts to read the list below the record with this id. */
export type Start = (graph: Graph, id: string, args: Given, below: Ahead) => Promise<unknown>

type Nested = { noun: string; field: FieldNode; start: Start; type: GraphQLNamedType }

/**
 * Starts the lists that the query asks for below the records of a field, as soon as the ids of the records are known.
 * Each list checks access and visibility itself, and fields later wait for the same result.
 */
export function listsBelow(graph: Graph, info: GraphQLResolveInfo): Ahead {
  return aheadOf(graph, info, info.fieldNodes, getNamedType(info.returnType))
}

function aheadOf(graph: Graph, info: GraphQLResolveInfo, fields: readonly FieldNode[], type: GraphQLNamedType): Ahead {
  let lists: Nested[] | null = null
  return (rows) => {
    lists ??= nestedIn(info, fields, type)
    for (const { noun, field, start, type } of lists) {
      const args = argumentsOf(field, info.variableValues.coerced)
      const below = aheadOf(graph, info, [field], type)
      for (const row of rows) start(graph, idIn(row, noun), args, below).catch(() => {})
    }
  }
}

/** A row of a list of followers, for example, has an id of its own and `accountId`. */
function idIn(row: object, noun: string): string {
  return String(Reflect.get(row, idName(noun)) ?? Reflect.get(row, 'id'))
}

/** The parameter or column that names a record of this noun. */
export const idName = (noun: string) => `${noun[0]?.toLowerCase()}${noun.slice(1)}Id`

/** The lists directly below the records, which are those of the field or of its `nodes` or `edges`. */
function nestedIn(info: GraphQLResolveInfo, fields: readonly FieldNode[], type: GraphQLNamedType): Nested[] {
  if (!isObjectType(type)) return []
  return fields.flatMap(({ selectionSet }) =>
    subfields(info, selectionSet).flatMap((field): Nested[] => {
      const definition = type.getFields()[field.name.value]
      if (!definition) return []
      const below = getNamedType(definition.type)
      const { start, passes } = definition.extensions
      if (passes) return nestedIn(info, [field], below)
      return typeof start === 'function'
        ? [{ noun: type.name, field, start: (...args) => start(...args), type: below }]
        : []
    }),
  )
}

function subfields(info: GraphQLResolveInfo, set: SelectionSetNode | undefined): FieldNode[] {
  return (set?.selections ?? []).flatMap((selection): FieldNode[] => {
    if (isLeftOut(selection.directives ?? [], info.variableValues.coerced)) return []
    if (selection.kind === Kind.FIELD) return [selection]
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? info.fragments[selection.name.value] : selection
    return subfields(info, fragment?.selectionSet)
  })
}

function isLeftOut(directives: readonly (DirectiveNode | ConstDirectiveNode)[], variables: object): boolean {
  return directives.some(({ name, arguments: [condition] = [] }) => {
    const holds = condition && valueFromASTUntyped(condition.value, { ...variables })
    return name.value === 'skip' ? holds === true : name.value === 'include' && holds === false
  })
}

const argumentsOf = ({ arguments: args = [] }: FieldNode, variables: object): Given =>
  Object.fromEntries(args.map(({ name, value }) => [name.value, valueFromASTUntyped(value, { ...variables })]))

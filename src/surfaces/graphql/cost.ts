import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../../platform/data/page.ts'

type Query = {
  schema: GraphQLSchema
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
  variables: Record<string, unknown>
}

/** A list runs an operation, which may make two queries even if it returns nothing. */
const LIST_COST = 5

/**
 * How many records an operation can return at most, five for each list that it reads, and one for each value with an
 * alias, which may repeat a long text. Lists below each other multiply. `requireSmall` has bounded the document.
 */
export function costOf(query: Query, { operation, selectionSet }: OperationDefinitionNode): number {
  const root = query.schema.getRootType(operation)
  return root ? costOfSet(query, selectionSet, root) : 0
}

function costOfSet(query: Query, { selections }: SelectionSetNode, type: GraphQLNamedType): number {
  return selections.reduce((sum, selection) => {
    if (selection.kind === Kind.FIELD) return sum + costOfField(query, selection, type)
    const part = selection.kind === Kind.FRAGMENT_SPREAD ? query.fragments.get(selection.name.value) : selection
    const condition = part?.typeCondition && query.schema.getType(part.typeCondition.name.value)
    return sum + (part ? costOfSet(query, part.selectionSet, condition ?? type) : 0)
  }, 0)
}

function costOfField(query: Query, field: FieldNode, parent: GraphQLNamedType): number {
  const fields = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields() : {}
  const definition = fields[field.name.value]
  const type = definition && getNamedType(definition.type)
  if (!type || !isCompositeType(type) || !field.selectionSet) return field.alias ? 1 : 0
  const below = costOfSet(query, field.selectionSet, type)
  const { isList, passes } = definition.extensions
  if (passes) return below
  return isList ? LIST_COST + sizeOf(query, field) * (1 + below) : 1 + below
}

/** The number of records that a list can return. An invalid number counts as the default, and fails later. */
function sizeOf({ variables }: Query, { arguments: args = [] }: FieldNode): number {
  const given = args.flatMap(({ name, value }) => {
    const found: unknown = ['first', 'last', 'ids'].includes(name.value) && valueFromASTUntyped(value, variables)
    return Array.isArray(found) ? [found.length] : typeof found === 'number' ? [found] : []
  })
  return Math.min(Math.max(0, ...(given.length > 0 ? given : [DEFAULT_LIMIT])), MAX_LIMIT)
}

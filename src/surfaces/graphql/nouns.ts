import { Id } from '../../platform/data/ids.ts'
import type { Noun } from '../../platform/graphql/noun.ts'
import type { VerbOperation } from '../../platform/http/operation.ts'
import { requirePermission } from '../../platform/security/access.ts'
import { type Builder, type Field, type Fields, mapped } from './builder.ts'
import { readNested } from './calls.ts'
import { connectionOf, itemOf, pageArguments, pageInput } from './connections.ts'
import { globalId } from './global-id.ts'
import { type Graph, loadRecord } from './graph.ts'
import { listsBelow, type Start } from './lookahead.ts'
import type { Types } from './types.ts'

type Row = { id: Id }
type Args = Record<string, unknown>
export type Find = { operation: (id: string) => VerbOperation; noun: (name: string) => Noun }

export function defineNoun(builder: Builder, types: Types, noun: Noun, find: Find): void {
  const { name, view, relations = {} } = noun
  const links = mapped(relations, (relation) =>
    'list' in relation ? listField(builder, types, relation, find) : linkField(relation, find),
  )
  const fields = { ...viewFields(types, noun, find), ...links }
  builder.once(name, () => builder.object(name, fields, { description: view.description, interfaces: ['Node'] }))
}

/** Fields that only some views of the noun have are loaded on demand. They are null if that fails. */
function viewFields(types: Types, noun: Noun, find: Find): Fields {
  const { name, view, views = [] } = noun
  const fields = mapped(types.fieldsOf(view, name), (field, key): Field => {
    if (views.every(({ shape }) => key in shape)) return field
    return { ...field, nullable: true, resolve: (row: Row, _, graph) => fieldOf(graph, noun, find, row, key) }
  })
  return {
    ...fields,
    id: { type: 'ID', description: 'The id in the whole graph', resolve: ({ id }: Row) => globalId(name, id) },
    databaseId: { type: 'ID', description: 'The id in REST and in frames', resolve: ({ id }: Row) => id },
  }
}

async function fieldOf(graph: Graph, noun: Noun, find: Find, row: Row, key: string): Promise<unknown> {
  if (key in row) return Reflect.get(row, key)
  const record = await recordOf(graph, noun, find, row.id)
  return record && Reflect.get(record, key)
}

/** A record by its id. Null if the viewer may not see it. */
export async function recordOf(graph: Graph, noun: Noun, find: Find, id: Id): Promise<object | null> {
  const pending = requirePermission(graph.ctx, find.operation(noun.read))
  if (pending) await pending
  return loadRecord(graph, noun, id)
}

type Listed = Extract<NonNullable<Noun['relations']>[string], { list: string }>
type Linked = Extract<NonNullable<Noun['relations']>[string], { noun: string }>

function listField(builder: Builder, types: Types, { list, input, description }: Listed, find: Find): Field {
  const operation = find.operation(list)
  const item = itemOf(operation.returns)
  if (!operation.returns || !item) throw new Error(`${list} returns no page`)
  if (operation.fresh || operation.limit) throw new Error(`${list} is admitted only as a root field`)
  const start: Start = (graph, id, args, below) =>
    readNested(graph, { operation, args: () => ({ ...pageInput(args), ...input(id) }), ahead: below })
  return {
    type: connectionOf(builder, types, operation.returns, item),
    nullable: true,
    description,
    args: pageArguments,
    extensions: { start, isList: true },
    resolve: async ({ id }: Row, args: Args, graph, info) => {
      const page = await start(graph, id, args, listsBelow(graph, info))
      return { page, args }
    },
  }
}

export function linkField({ noun, idIn, description }: Linked, find: Find): Field {
  return {
    type: noun,
    nullable: true,
    description,
    resolve: async (row: Args, _, graph) => {
      const id = row[idIn]
      return typeof id === 'string' ? recordOf(graph, find.noun(noun), find, Id.parse(id)) : null
    },
  }
}

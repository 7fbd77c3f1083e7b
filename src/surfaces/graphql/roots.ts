import type { Noun } from '../../platform/graphql/noun.ts'
import type { VerbOperation } from '../../platform/http/operation.ts'
import { type Argument, type Builder, type Field, mapped } from './builder.ts'
import { readRoot, write } from './calls.ts'
import { connectionOf, itemOf, pageArguments, pageInput } from './connections.ts'
import { idName, listsBelow } from './lookahead.ts'
import { capitalized, type Types } from './types.ts'

type Args = Record<string, unknown>

/** `getPost` is `post` in a query, `listBlocks` is `blocks`. */
export function queryName(id: string): string {
  const [, noun] = /^(?:get|read|list)([A-Z]\w*)$/.exec(id) ?? []
  return noun ? `${noun[0]?.toLowerCase()}${noun.slice(1)}` : id
}

/** A field that reads with an operation. Each use of it counts as one request. */
export function queryField(builder: Builder, types: Types, nouns: readonly Noun[], operation: VerbOperation): Field {
  const { returns, summary: description } = operation
  const item = itemOf(returns)
  if (!returns || !item) return recordField(types, nouns, operation)
  const { limit: _, cursor: __, ...filters } = argumentsOf(types, operation)
  return {
    type: connectionOf(builder, types, returns, item),
    nullable: true,
    description,
    args: { ...filters, ...pageArguments },
    extensions: { isList: true },
    resolve: async (_: unknown, args: Args, graph, info) => {
      const page = await readRoot(graph, { operation, args: () => pageInput(args), ahead: listsBelow(graph, info) })
      return { page, args }
    },
  }
}

function recordField(types: Types, nouns: readonly Noun[], operation: VerbOperation): Field {
  const noun = nouns.find(({ read }) => read === operation.id)
  const isOwn = nouns.some(({ readOwn }) => readOwn === operation.id)
  return {
    ...resultOf(types, operation),
    nullable: true,
    description: operation.summary,
    args: argumentsOf(types, operation),
    resolve: (_: unknown, args: Args, graph, info) => {
      const known = (input: Args) => (isOwn ? graph.ctx.viewer?.id : noun && input[idName(noun.name)])
      return readRoot(graph, { operation, args: () => args, ahead: listsBelow(graph, info) }, known)
    },
  }
}

/** A field that writes with an operation. Without a view it is true. */
export function mutationField(types: Types, operation: VerbOperation): Field {
  const args = argumentsOf(types, operation)
  if (operation.idempotent) args.idempotencyKey = { type: 'String', nullable: true, description: IDEMPOTENCY }
  return {
    ...resultOf(types, operation),
    nullable: true,
    description: operation.summary,
    args,
    resolve: async (_: unknown, args: Args, graph, info) => {
      const view = await write(graph, operation, args, String(info.path.key))
      return operation.returns ? view : true
    },
  }
}

const IDEMPOTENCY = 'A repeated mutation with the same key returns what the first one created'

const resultOf = (types: Types, { returns, id }: VerbOperation): Argument =>
  returns ? types.output(returns, capitalized(id)) : { type: 'Boolean' }

function argumentsOf(types: Types, { id, params, query, body }: VerbOperation): Record<string, Argument> {
  const place = (name: string) => capitalized(id) + capitalized(name)
  const own = mapped({ ...params?.shape, ...query?.shape }, (schema, name) => types.input(schema, place(name)))
  return body ? { ...own, input: types.input(body, capitalized(id)) } : own
}

import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  validate,
  valueFromASTUntyped,
} from 'graphql'
import { isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga'
import type { Config } from '../../platform/config.ts'
import { Failure } from '../../platform/failures.ts'
import { costOf } from './cost.ts'
import { described, withStatus } from './errors.ts'
import type { Graph, GraphContext } from './graph.ts'
import { limits, requireAtMost, requireSmall } from './limits.ts'

type GraphPlugin = Plugin<GraphContext, GraphContext>

const small = new WeakSet<object>()
/** For each such part of its cost, a query counts as one more request. */
const COST_OF_A_REQUEST = 100

/** Refuses what is too large, before an operation is admitted or a database is used. */
export const sizeLimits: GraphPlugin = {
  onParams({ params }) {
    requireAtMost('characters', params.query?.length ?? 0)
    requireAtMost('variables', JSON.stringify(params.variables ?? {}).length)
  },
  onParse({ setParseFn }) {
    setParseFn((source, options) => parse(source, { ...options, maxTokens: limits.tokens }))
    return ({ result }) => {
      if (!isDocument(result) || small.has(result)) return
      requireSmall(result)
      small.add(result)
    }
  },
  onExecute({ args }) {
    args.contextValue.graph.surcharge = Math.floor(requireCheap(args) / COST_OF_A_REQUEST)
  },
  onSubscribe({ args }) {
    requireCheap(args)
    requireStream(args.contextValue.request.headers.get('accept'))
  },
}

const isDocument = (result: unknown): result is DocumentNode =>
  typeof result === 'object' && result !== null && 'kind' in result && result.kind === Kind.DOCUMENT

/** Before a socket is opened for a client that cannot read it. */
function requireStream(accept: string | null): void {
  if (accept !== null && !/text\/event-stream|text\/\*|\*\/\*/.test(accept))
    throw new Failure('bad_request', 'A subscription needs Accept: text/event-stream')
}

/** Returns the cost of the query. Throws if it is too high. */
function requireCheap({ schema, document, operationName, variableValues }: ExecutionArgs): number {
  const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  const operation = operations.find(({ name }) => !operationName || name?.value === operationName)
  if (!operation) return 0
  const defaults = (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
    defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)] as const] : [],
  )
  const query = {
    schema,
    fragments: new Map(fragments.map((fragment) => [fragment.name.value, fragment])),
    variables: { ...Object.fromEntries(defaults), ...variableValues },
  }
  const cost = costOf(query, operation)
  requireAtMost('cost', cost)
  return cost
}

/** Where introspection is off, refuses it, and suggests no names of the schema in errors. */
export const introspection: GraphPlugin = {
  onValidate({ context, addValidationRule, setValidationFn }) {
    if (isOn(context.graph.ctx.config)) return
    addValidationRule(NoSchemaIntrospectionCustomRule)
    setValidationFn((schema, document, rules, options) =>
      validate(schema, document, rules, { ...options, hideSuggestions: true }),
    )
  },
  onExecute: hideSuggestions,
  onSubscribe: hideSuggestions,
}

/** The values of variables are checked with the execution. */
function hideSuggestions({
  args,
}: {
  args: { contextValue: { graph: Graph }; hideSuggestions?: boolean | null }
}): void {
  args.hideSuggestions = !isOn(args.contextValue.graph.ctx.config)
}

const isOn = ({ GRAPHQL_INTROSPECTION, ENVIRONMENT }: Config) =>
  GRAPHQL_INTROSPECTION ? GRAPHQL_INTROSPECTION === 'on' : ENVIRONMENT === 'development'

/** Gives every error its code. In development, adds what the request has cost. */
export const results: GraphPlugin = {
  onResultProcess({ result, setResult, request, serverContext }) {
    const { graph } = serverContext
    const isLegacy = /application\/json/.test(request.headers.get('accept') ?? '')
    const present = (one: ExecutionResult) => presented(graph, one, isLegacy)
    if (isAsyncIterable(result)) setResult(mapAsyncIterator(result, present))
    else if (!Array.isArray(result)) setResult(present(result))
  },
}

function presented(graph: Graph, result: ExecutionResult, isLegacy: boolean): ExecutionResult {
  const { ctx, replayed } = graph
  const errors = result.errors?.map((error) => withStatus(described(ctx, asGraphql(error)), isLegacy))
  const cost = ctx.config.ENVIRONMENT === 'development' && { cost: { ...ctx.cost } }
  const extensions = { ...result.extensions, ...(replayed.length > 0 && { replayed }), ...cost }
  return { ...result, ...(errors && { errors }), ...(Object.keys(extensions).length > 0 && { extensions }) }
}

const asGraphql = (error: Error) =>
  error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error })

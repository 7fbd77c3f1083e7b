import type { GraphQLError, GraphQLSchema } from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import type { Context } from 'hono'
import { withDatabases } from '../../platform/create-context.ts'
import type { Noun } from '../../platform/graphql/noun.ts'
import type { AppEnv } from '../../platform/http/app-env.ts'
import { BOOKMARKS } from '../../platform/http/cors.ts'
import type { Operation } from '../../platform/http/operation.ts'
import { described, withStatus } from './errors.ts'
import { type GraphContext, newGraph } from './graph.ts'
import { schemaOf } from './schema.ts'

type Service = { operations: readonly Operation[]; nouns?: readonly Noun[] }

/** Serves `/graphql` (GraphQL over HTTP, and SSE for subscriptions). Builds the schema once. */
export function graphqlHandler(services: readonly Service[]) {
  const yoga = yogaOf(schemaOf(services))
  return async (c: Context<AppEnv>): Promise<Response> => {
    const { ctx } = c.var
    ctx.log = ctx.log.with({ service: 'graphql', accountId: ctx.viewer?.id })
    c.set('isCounted', true)
    const reads = withDatabases(ctx, { bookmarks: c.req.header(BOOKMARKS), inWaves: true })
    const graph = newGraph(ctx, reads, (headers) => c.set('allowance', headers))
    const response = await yoga.fetch(c.req.raw, { graph })
    return new Response(response.body, response)
  }
}

function yogaOf(schema: GraphQLSchema) {
  return createYoga<GraphContext>({
    schema,
    fetchAPI: { Request, Response, ReadableStream, Headers, TextEncoder, URL },
    cors: false,
    landingPage: false,
    graphiql: false,
    multipart: false,
    logging: false,
    maskedErrors: false,
    plugins: [errorCodes],
  })
}

/** Gives every error its code. */
const errorCodes: Plugin<object, GraphContext> = {
  onResultProcess({ result, setResult, request, serverContext }) {
    if (!('errors' in result) || !result.errors) return
    const isLegacy = /application\/json/.test(request.headers.get('accept') ?? '')
    const { ctx } = serverContext.graph
    const errors = result.errors.map((error) => withStatus(described(ctx, error as GraphQLError), isLegacy))
    setResult({ ...result, errors })
  },
}

import { createYoga } from 'graphql-yoga'
import type { Context } from 'hono'
import { withDatabases } from '../../platform/create-context.ts'
import { Failure } from '../../platform/failures.ts'
import { countByAddress } from '../../platform/http/address-limit.ts'
import type { AppEnv } from '../../platform/http/app-env.ts'
import { BOOKMARKS } from '../../platform/http/cors.ts'
import { requestsInFlight } from '../../platform/observability/pending.ts'
import type { RequestCtx } from '../../platform/security/admit.ts'
import { addressLimit, anonymousLimit, isUsedUp, spend, userLimit } from '../../platform/security/rate-limit.ts'
import { type GraphContext, newGraph } from './graph.ts'
import { introspection, results, sizeLimits } from './plugins.ts'
import { type Declared, schemaOf } from './schema.ts'
import { onlyTrusted, trustedDocuments } from './trusted-documents.ts'

/** Serves `/graphql` (GraphQL over HTTP, and SSE for subscriptions). Builds the schema once. */
export function graphqlHandler(declared: Declared) {
  const yoga = createYoga<GraphContext>({
    schema: schemaOf(declared),
    fetchAPI: { Request, Response, ReadableStream, Headers, TextEncoder, URL },
    cors: false,
    landingPage: false,
    graphiql: false,
    multipart: false,
    logging: false,
    parserAndValidationCache: false, // its 1,024 documents may be those of strangers, and fill the memory
    maskedErrors: false,
    plugins: [trustedDocuments, onlyTrusted, sizeLimits, introspection, results],
  })
  return async (c: Context<AppEnv>): Promise<Response> => {
    const { ctx } = c.var
    ctx.log = ctx.log.with({ service: 'graphql', accountId: ctx.viewer?.id })
    const reads = withDatabases(ctx, { bookmarks: c.req.header(BOOKMARKS), inWaves: true })
    await refuseUsedUp(ctx)
    const graph = newGraph(ctx, reads, (headers) => c.set('allowance', headers))
    const request = await bufferedRequest(c)
    const response = await Promise.resolve(yoga.fetch(request, { graph })).finally(requestsInFlight.begin())
    c.set('isCounted', graph.isAdmitted)
    await countByAddress(c)
    const answer = new Response(response.body, response)
    answer.headers.set('cache-control', 'private, no-store')
    return answer
  }
}

/** Refuses callers above their limit before their query is parsed, which may cost more than to answer it. */
async function refuseUsedUp(ctx: RequestCtx): Promise<void> {
  const key = ctx.viewer?.id ?? ctx.clientIp
  const limits = ctx.viewer ? [userLimit] : [anonymousLimit, addressLimit]
  for (const limit of limits) if (isUsedUp(ctx, limit, key)) await spend(ctx, limit, key)
}

/** Earlier middleware has read the body. */
async function bufferedRequest({ req }: Context): Promise<Request> {
  const { method, url, headers } = req.raw
  const body = method === 'POST' ? await req.arrayBuffer() : null
  if (body?.byteLength === 0) throw new Failure('bad_request', 'Send a query in a JSON body')
  return new Request(url, { method, headers, body })
}

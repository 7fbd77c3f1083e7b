import { z } from '@hono/zod-openapi'
import { GraphQLError } from 'graphql'
import type { SystemCtx } from '../../platform/context.ts'
import type { Failure } from '../../platform/failures.ts'
import { toFailure } from '../../platform/http/problems.ts'

const Http = z.looseObject({ spec: z.literal(true) })
/** Many fields may fail for one cause, such as a shard that is down. */
const logged = new WeakSet<Error>()

/** An error with the code of its failure. Unknown errors are logged with the request id, and answered as `internal`. */
export function described(ctx: SystemCtx, error: GraphQLError): GraphQLError {
  const { nodes, path } = error
  const cause = causeOf(error)
  if (!cause) {
    const extensions = { ...error.extensions, code: 'bad_request' }
    return new GraphQLError(error.message, { nodes, path, extensions })
  }
  const failure = toFailure(cause)
  if ((failure.code === 'internal' || failure.code === 'unavailable') && !logged.has(cause)) {
    logged.add(cause)
    ctx.log.error('a GraphQL field failed', { path: path?.join('.'), error: cause })
  }
  const http = path ? {} : { http: { status: failure.kind.status } }
  return new GraphQLError(failure.message, { nodes, path, extensions: { ...extensionsOf(failure), ...http } })
}

/** What a resolver or hook threw. Undefined for errors of GraphQL itself, such as a syntax error. */
function causeOf({ originalError }: GraphQLError): Error | undefined {
  return originalError instanceof GraphQLError ? causeOf(originalError) : originalError
}

function extensionsOf({ code, extra: { errors, headers } }: Failure): object {
  const retryAfter = headers?.['retry-after']
  return { code, ...(errors && { errors }), ...(retryAfter !== undefined && { retryAfter: Number(retryAfter) }) }
}

/** Clients that name `application/json` get status 200 for an invalid document, as its specification asks; others 400. */
export function withStatus(error: GraphQLError, isLegacy: boolean): GraphQLError {
  const { data: http } = Http.safeParse(error.extensions.http)
  if (!http || isLegacy) return error
  return Object.assign(error, { extensions: { ...error.extensions, http: { ...http, spec: false } } })
}

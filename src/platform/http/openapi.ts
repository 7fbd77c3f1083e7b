import { OpenAPIHono, z } from '@hono/zod-openapi'
import { KEY_HOURS } from '../data/idempotency.ts'
import { type Code, declaredFailures, type FailureKind, kindOf } from '../failures.ts'
import { ACCESS_TOKEN_LIFE_MS } from '../security/tokens.ts'
import { bookmarksParameter, failureHeaders, headerComponents, successHeaders } from './openapi-headers.ts'
import { type Operation, successOf } from './operation.ts'
import { Problem } from './problems.ts'

export const IdempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .regex(/^[ -~]*$/, 'may contain printable ASCII characters only')
    .optional()
    .openapi({
      description: `For ${KEY_HOURS} hours, a repeated request with the same key returns what the first one created`,
    }),
})

type Mounted = { name: string; mount: string; operations: readonly Operation[] }
/** Markdown for the document: `conventions` for all operations, `descriptions` by operation id. */
type Prose = { conventions: string; descriptions: Record<string, string> }

/** The OpenAPI 3.1 document, with `x-access`, `x-scope`, `x-fresh`, `x-limit` and `x-idempotent` on each operation. */
export function openApiDocument(services: readonly Mounted[], prose: Prose): object {
  const app = new OpenAPIHono()
  const registry = app.openAPIRegistry
  registry.register('Problem', Problem)
  for (const { name, mount, operations } of services) {
    for (const operation of operations) registry.registerPath(pathOf(name, mount, operation, prose) as never)
  }
  for (const kinds of services.flatMap(({ operations }) => operations.flatMap(failuresOf))) {
    registry.registerComponent('responses', nameOf(kinds), problemOf(kinds))
  }
  for (const [name, header] of Object.entries(headerComponents)) registry.registerComponent('headers', name, header)
  registry.registerComponent('parameters', 'Bookmarks', bookmarksParameter as never)
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'at+jwt',
    description: `An access token, valid for ${ACCESS_TOKEN_LIFE_MS / 60_000} minutes, from login or refresh`,
  })
  const license = { name: 'MIT', identifier: 'MIT' } // a variable, because the types lack `identifier` (new in 3.1)
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'SocialConnect', version: '1', license, description: prose.conventions },
    servers: [{ url: '/' }],
  })
  listCodes(document)
  allowNulls(document)
  return document
}

function pathOf(service: string, mount: string, operation: Operation, { descriptions }: Prose): object {
  const { id, method, path, summary, access, scope, fresh, limit, idempotent, params, query, body, example } = operation
  const description = [descriptions[id], operation.description].filter(Boolean).join('\n\n')
  const type = operation.bodyType ?? 'application/json'
  return {
    operationId: id,
    method,
    path: mount + path,
    tags: [service],
    summary,
    ...(description && { description }),
    'x-access': access,
    ...(scope && { 'x-scope': scope }),
    ...(fresh && { 'x-fresh': true }),
    ...(limit && { 'x-limit': limit.name }),
    ...(idempotent && { 'x-idempotent': true }),
    security: securityOf(operation),
    parameters: [{ $ref: '#/components/parameters/Bookmarks' }],
    request: {
      ...(params && { params }),
      ...(query && { query }),
      ...(idempotent && { headers: IdempotencyKey }),
      ...(body && { body: { required: true, content: { [type]: { schema: body, example } } } }),
    },
    responses: { ...successes(operation), ...failures(operation) },
  }
}

function successes(operation: Operation): object {
  const isVerb = 'run' in operation
  const Bytes = z.string().openapi({ format: 'binary' })
  const [schema, types] = isVerb
    ? [operation.returns, ['application/json']]
    : [operation.mediaTypes && Bytes, operation.mediaTypes ?? []]
  const content = schema && { content: Object.fromEntries(types.map((type) => [type, { schema }])) }
  const unchanged = operation.method === 'get' ? { 304: 'The client’s copy is current' } : {}
  const also = Object.entries((isVerb ? unchanged : operation.also) ?? {}).map(([status, description]) => {
    const headers = successHeaders(operation, Number(status))
    return [status, { description, headers, ...(status === '206' && content) }]
  })
  const success = { description: operation.summary, headers: successHeaders(operation), ...content }
  return { [successOf(operation)]: success, ...Object.fromEntries(also) }
}

/** The failures of an operation, grouped by status. */
function failuresOf({ access, scope, fresh, params, body, fails = [] }: Operation): FailureKind[][] {
  // Public operations have the token failures too, because an invalid token is always refused.
  const codes: Code[] = [
    'bad_request',
    'unauthorized',
    'suspended',
    'invalid',
    'rate_limited',
    'unavailable',
    'internal',
  ]
  const own: Code[] = []
  if (access === 'moderator' || access === 'admin') own.push('forbidden')
  if (scope) own.push('insufficient_scope')
  if (fresh) own.push('fresh_login_required')
  if (params) own.push('not_found')
  if (body) own.push('request_timeout', 'too_large', 'unsupported_media_type')
  const kinds = new Set([...codes, ...fails, ...own].map(kindOf))
  return [...Map.groupBy(kinds, ({ status }) => status).values()]
}

/** On public operations the token is optional. If one is sent, it needs the scope. */
function securityOf({ access, scope }: Operation): Record<string, string[]>[] {
  const needed = { bearer: scope ? [scope] : [] }
  if (access !== 'public') return [needed]
  return scope ? [needed, {}] : []
}

const nameOf = (kinds: FailureKind[]) => kinds.map(({ code }) => code).join('-')

const failures = (operation: Operation): object =>
  Object.fromEntries(
    failuresOf(operation).map((kinds) => [kinds[0]?.status, { $ref: `#/components/responses/${nameOf(kinds)}` }]),
  )

function problemOf(kinds: FailureKind[]) {
  return {
    description: kinds.map(({ code }) => code).join(', '),
    headers: failureHeaders(kinds[0]?.status ?? 0),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}

type Schemas = { components?: { schemas?: Record<string, { properties?: Record<string, object> }> } }

/** Lists all failure codes. Must run after all services are loaded, because they declare failures too. */
function listCodes(document: object): void {
  const { properties } = (document as Schemas).components?.schemas?.Problem ?? {}
  if (properties?.code) Object.assign(properties.code, { enum: declaredFailures().map(({ code }) => code) })
}

type Nullable = { allOf?: [object, { type?: unknown }]; anyOf?: object[] }

/** Rewrites nullable named schemas: the generator puts the schema and null into `allOf`, which null never satisfies. */
function allowNulls(part: object): void {
  const { allOf } = part as Nullable
  if (Array.isArray(allOf?.[1]?.type) && allOf[1].type.includes('null')) {
    const [named, { type: _, ...rest }] = allOf
    delete (part as Nullable).allOf
    Object.assign(part, { anyOf: [named, { type: 'null' }], ...rest })
  }
  for (const inner of Object.values(part)) if (typeof inner === 'object' && inner !== null) allowNulls(inner)
}

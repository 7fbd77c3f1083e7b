import { OpenAPIHono, z } from '@hono/zod-openapi'
import { KEY_HOURS } from '../data/idempotency.ts'
import { type Code, type FailureKind, kindOf } from '../failures.ts'
import { bearer, contact, license, VERSION } from './api-info.ts'
import { CSV } from './csv.ts'
import { deprecationText } from './deprecation.ts'
import { problemType } from './error-pages.ts'
import { addExamples } from './openapi-examples.ts'
import { bookmarksParameter, failureHeaders, headerComponents, successHeaders } from './openapi-headers.ts'
import { type Document, finishSchemas } from './openapi-schemas.ts'
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

type Mounted = { name: string; about: string; mount: string; operations: readonly Operation[] }

/**
 * The OpenAPI 3.1 document, with `x-access`, `x-action`, `x-scope`, `x-fresh`, `x-login`, `x-own-clients`, `x-while-suspended`, `x-limit`, `x-idempotent`, `x-shared`.
 * `conventions` is Markdown that applies to all of them. Sockets are in the AsyncAPI document instead.
 */
export function openApiDocument(mounted: readonly Mounted[], conventions: string): Document {
  const services = mounted.map((service) => ({ ...service, operations: service.operations.filter(isRest) }))
  const app = new OpenAPIHono()
  const registry = app.openAPIRegistry
  registry.register('Problem', Problem)
  for (const { name, mount, operations } of services) {
    for (const operation of operations) registry.registerPath(pathOf(name, mount, operation) as never)
  }
  for (const kinds of services.flatMap(({ operations }) => operations.flatMap(failuresOf))) {
    registry.registerComponent('responses', nameOf(kinds), problemOf(kinds))
  }
  for (const [name, header] of Object.entries(headerComponents)) registry.registerComponent('headers', name, header)
  registry.registerComponent('parameters', 'Bookmarks', bookmarksParameter as never)
  registry.registerComponent('securitySchemes', 'bearer', bearer())
  const described = services.filter(({ operations }) => operations.length > 0)
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'SocialConnect', version: VERSION, contact, license, description: conventions },
    servers: [{ url: '/', description: 'The server of this document' }],
    tags: described.map(({ name, about }) => ({ name, description: about })),
  })
  finishSchemas(document)
  addExamples(document)
  return document
}

const isRest = (operation: Operation) => !('isSocket' in operation)

function pathOf(service: string, mount: string, operation: Operation): object {
  const { id, method, path, summary, deprecated } = operation
  const { access, action, scope, fresh, login, ownClients, whileSuspended, limit, idempotent, shared } = operation
  const texts = [deprecated && deprecationText(deprecated), operation.description, conditionsOf(operation)]
  return {
    operationId: id,
    method,
    path: mount + path,
    tags: [service],
    summary,
    ...(deprecated && { deprecated: true, 'x-sunset': deprecated.sunset }),
    description: texts.filter(Boolean).join('\n\n'),
    'x-access': access,
    ...(action && { 'x-action': action }),
    ...(scope && { 'x-scope': scope }),
    ...(fresh && { 'x-fresh': true }),
    ...((fresh || login) && { 'x-login': true }),
    ...(ownClients && { 'x-own-clients': true }),
    ...(whileSuspended && { 'x-while-suspended': true }),
    ...(limit && { 'x-limit': limit.name }),
    ...(idempotent && { 'x-idempotent': true }),
    ...(shared !== undefined && { 'x-shared': shared }),
    security: securityOf(operation),
    parameters: [{ $ref: '#/components/parameters/Bookmarks' }],
    request: requestOf(operation),
    responses: { ...successes(operation), ...failures(operation) },
  }
}

function requestOf({ params, query, idempotent, body, bodyType = 'application/json', example }: Operation): object {
  return {
    ...(params && { params }),
    ...(query && { query }),
    ...(idempotent && { headers: IdempotencyKey }),
    ...(body && { body: { required: true, content: { [bodyType]: { schema: body, example } } } }),
  }
}

function successes(operation: Operation): object {
  const isVerb = 'run' in operation
  const Bytes = z.string().openapi({ format: 'binary' })
  const [schema, types] = isVerb
    ? [operation.returns, ['application/json']]
    : [operation.mediaTypes && Bytes, operation.mediaTypes ?? []]
  const table = isVerb && operation.csv && { [CSV]: { schema: z.string() } }
  const content = schema && { content: { ...Object.fromEntries(types.map((type) => [type, { schema }])), ...table } }
  const unchanged = operation.method === 'get' ? { 304: 'The client’s copy is current' } : {}
  const also = Object.entries((isVerb ? unchanged : operation.also) ?? {}).map(([status, description]) => {
    const headers = successHeaders(operation, Number(status))
    return [status, { description, headers, ...(status === '206' && content) }]
  })
  const success = { description: operation.summary, headers: successHeaders(operation), ...content }
  return { [successOf(operation)]: success, ...Object.fromEntries(also) }
}

/** The failures of an operation, grouped by status. */
function failuresOf(operation: Operation): FailureKind[][] {
  const { access, action, scope, fresh, login, ownClients, params, body, fails = [] } = operation
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
  if (action || access === 'moderator' || access === 'admin' || fresh || login || ownClients) own.push('forbidden')
  if (scope) own.push('insufficient_scope')
  if (fresh) own.push('fresh_login_required')
  if (params) own.push('not_found')
  if (body) own.push('request_timeout', 'too_large', 'unsupported_media_type')
  const kinds = new Set([...codes, ...fails, ...own].map(kindOf))
  return [...Map.groupBy(kinds, ({ status }) => status).values()]
}

/** On public operations the token is optional. If one is sent, it needs the scope. */
function securityOf({ access, scope }: Operation): Record<string, string[]>[] {
  if (access !== 'public') return [{ bearer: [] }]
  return scope ? [{ bearer: [] }, {}] : []
}

const tokenOf = { user: 'a token', moderator: 'a token of a moderator', admin: 'a token of an administrator' }

/** Who may call the operation and how often, as a sentence each. */
function conditionsOf(operation: Operation): string {
  const { access, action, scope, fresh, login, ownClients, whileSuspended, limit, idempotent, shared } = operation
  const withScope = scope ? ` with the scope \`${scope}\`` : ''
  const optional = scope
    ? `Works without a token. A token that is sent needs the scope \`${scope}\`.`
    : 'Needs no token.'
  return [
    access === 'public' ? optional : `Needs ${tokenOf[access]}${withScope}.`,
    action && access !== 'user' && `An account with the permission \`${action}\` may call it too.`,
    (ownClients || fresh) && 'Apps of other developers cannot call it.',
    fresh && 'Needs a fresh login: see `confirmLogin`.',
    (fresh || login) && 'Refuses API keys.',
    whileSuspended && 'Works while the account is suspended.',
    limit && `At most ${limit.quota} requests in ${limit.window} seconds per client address.`,
    idempotent && 'Accepts an `Idempotency-Key`.',
    shared !== undefined && `Without credentials, the answer may be up to ${shared} seconds old.`,
  ]
    .filter(Boolean)
    .join(' ')
}

const nameOf = (kinds: FailureKind[]) => kinds.map(({ code }) => code).join('-')

const failures = (operation: Operation): object =>
  Object.fromEntries(
    failuresOf(operation).map((kinds) => [kinds[0]?.status, { $ref: `#/components/responses/${nameOf(kinds)}` }]),
  )

function problemOf(kinds: FailureKind[]) {
  const schema = { $ref: '#/components/schemas/Problem' }
  const examples = Object.fromEntries(kinds.map((kind) => [kind.code, problemExample(kind)]))
  return {
    description: kinds.map(({ code }) => code).join(', '),
    headers: failureHeaders(kinds[0]?.status ?? 0),
    content: { 'application/problem+json': { schema, examples } },
  }
}

function problemExample({ code, status, title, meaning }: FailureKind) {
  const type = problemType('https://social.example', code)
  const errors = code === 'invalid' && { errors: [{ field: 'text', message: 'is required' }] }
  return { summary: meaning, value: { type, title, status, code, instance: '/v1/posts', ...errors } }
}

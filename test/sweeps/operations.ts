import { apiDocument } from '../../src/app.ts'
import { openApiDocument } from '../../src/platform/http/openapi.ts'
import type { ResponderOperation } from '../../src/platform/http/operation.ts'
import type { Access } from '../../src/platform/security/access.ts'
import { services } from '../../src/registry.ts'

export type Schema = {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  required?: string[]
  additionalProperties?: boolean
  [keyword: string]: unknown
}
type Parameter = { in: 'path' | 'query' | 'header'; name: string; required?: boolean; schema: Schema }
type Content = Record<string, { schema: Schema; example?: unknown; examples?: object }>
type Header = { required: boolean; schema: Schema }
type Response = { description: string; headers: Record<string, Header>; content?: Content }
type DescribedResponse = Omit<Response, 'headers'> & { headers?: Record<string, Ref<Header>> }
/** A part of the document, or a reference to it. */
type Ref<T> = T | { $ref: string }
type Described = {
  operationId: string
  'x-access': Access
  'x-action'?: string
  'x-scope'?: string
  'x-fresh'?: boolean
  'x-login'?: boolean
  'x-own-clients'?: boolean
  'x-while-suspended'?: boolean
  'x-idempotent'?: boolean
  description?: string
  parameters?: Ref<Parameter>[]
  requestBody?: { content: Content }
  responses: Record<string, Ref<DescribedResponse>>
}

export type Operation = {
  id: string
  method: string
  path: string
  access: Access
  /** What a custom role or a grant can allow instead of the role in `access`. */
  action: string | null
  scope: string | null
  /** Whether it requires a fresh login. */
  fresh: boolean
  /** Whether it refuses API keys. */
  login: boolean
  /** Whether apps of other developers are refused. */
  ownClients: boolean
  /** Whether suspended people can call it. */
  whileSuspended: boolean
  description: string
  idempotent: boolean
  parameters: Parameter[]
  /** The media type and schema of the body, and its example in the document. */
  body: { type: string; schema: Schema; example: unknown } | null
  /** The status of a successful response. */
  success: number
  responses: Record<string, Response>
  isList: boolean
}

export const document = (await apiDocument()) as object as {
  info: { description: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Described>>
  components: {
    schemas: Record<string, Schema>
    examples: Record<string, { value: unknown }>
    securitySchemes: Record<string, Record<string, unknown>>
  }
}

/** The document as it would be if it described the operation that opens a socket too. */
const withSocket = openApiDocument(
  services.map((service) => ({
    ...service,
    operations: service.operations.map((operation) => ('isSocket' in operation ? asRest(operation) : operation)),
  })),
  '',
) as object as Pick<typeof document, 'paths' | 'components'>

function asRest({ isSocket: _, ...operation }: ResponderOperation): ResponderOperation {
  return operation
}

/** Every operation, so that the sweeps cover a new operation without a change. */
export const operations: Operation[] = Object.entries(withSocket.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => describe(method.toUpperCase(), path, described)),
)

function describe(method: string, path: string, described: Described): Operation {
  const { operationId: id } = described
  const parameters = (described.parameters ?? [])
    .map(found)
    .map((parameter) => ({ ...parameter, schema: resolved(parameter.schema) }))
  const responses = Object.fromEntries(
    Object.entries(described.responses).map(([status, response]) => [status, describeResponse(found(response))]),
  )
  const [content] = Object.entries(described.requestBody?.content ?? {})
  const queries = parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name)
  return {
    id,
    method,
    path,
    access: described['x-access'],
    action: described['x-action'] ?? null,
    scope: described['x-scope'] ?? null,
    fresh: described['x-fresh'] ?? false,
    login: described['x-login'] ?? false,
    ownClients: described['x-own-clients'] ?? false,
    whileSuspended: described['x-while-suspended'] ?? false,
    description: described.description ?? '',
    idempotent: described['x-idempotent'] ?? false,
    parameters,
    body: content ? { type: content[0], schema: resolved(content[1].schema), example: content[1].example } : null,
    success: Number(Object.keys(responses).find((status) => Number(status) < 400)),
    responses,
    isList: queries.includes('limit') && queries.includes('cursor'),
  }
}

function describeResponse({ headers = {}, ...rest }: DescribedResponse): Response {
  return {
    ...rest,
    headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, found(header)])),
  }
}

/** The part itself, or the one to which it refers. */
function found<T extends object>(part: Ref<T>): T {
  if (!('$ref' in part)) return part
  const steps = part.$ref.split('/').slice(1)
  return steps.reduce((at: object, step) => Reflect.get(at, step), withSocket) as T
}

/** The schema itself, or the one to which it refers. */
export function resolved(schema: Schema): Schema {
  return schema.$ref ? found<Schema>({ $ref: schema.$ref }) : schema
}

import { referenceType, type Schema, type Schemas, typeOf } from './wire-types.ts'

type Parameter = { name?: string; in?: string; required?: boolean; schema?: Schema; explode?: boolean }
type Content = { content?: Record<string, { schema?: Schema }> }
type OperationObject = {
  operationId: string
  summary: string
  'x-access': string
  'x-idempotent'?: boolean
  parameters?: Parameter[]
  requestBody?: Content
  responses: Record<string, Content>
}

/** The part of the document that the client is generated from. */
export type Contract = { paths: Record<string, Record<string, OperationObject>>; components: { schemas: Schemas } }

type Found = OperationObject & { method: string; path: string; success: Content }

/**
 * The TypeScript source of the operations: a table that the client reads at run time, and a type with the input and
 * output of each. Operations that open a socket are left out.
 */
export function operationsSource({ paths, components: { schemas } }: Contract): string {
  const found = Object.entries(paths)
    .flatMap(([path, methods]) => Object.entries(methods).flatMap(([method, own]) => read(method, path, own)))
    .sort((a, b) => (a.operationId < b.operationId ? -1 : 1))
  const types = found.map((operation) => typeLine(operation, schemas))
  const names = new Set(
    types
      .join()
      .match(/\b[A-Z]\w+/g)
      ?.filter((name) => schemas[name] || name === 'Page'),
  )
  return [
    `import type { ${[...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).join(', ')} } from './wire.ts'`,
    `/** What the client needs to know of each operation at run time: method, path and traits. */
export const operations: Record<keyof Operations, string> = {\n${found.map((operation) => tableLine(operation, schemas)).join('\n')}\n}`,
    '/** An input without fields. */\nexport type Nothing = Record<string, never>',
    `/** The input of each operation (path, query and body merged) and its result. */
export type Operations = {\n${types.join('\n')}\n}`,
  ].join('\n\n')
}

function read(method: string, path: string, own: OperationObject): Found[] {
  const success = Object.entries(own.responses).find(([status]) => status.startsWith('2'))
  return success ? [{ ...own, method, path, success: success[1] }] : []
}

function tableLine(operation: Found, schemas: Schemas): string {
  const { operationId, method, path } = operation
  return `${operationId}: '${[method.toUpperCase(), path, ...traits(operation, schemas)].join(' ')}',`
}

/**
 * `key`: accepts an idempotency key. `form`: the body is a form. `file`: the result is a file. `open`: needs no login and
 * ignores whose it is. `renews`: replaces the tokens of the login. `ends`: ends the login.
 */
function traits(operation: Found, schemas: Schemas): string[] {
  const { operationId, success, requestBody } = operation
  const [type] = Object.keys(success.content ?? {})
  return Object.entries({
    key: operation['x-idempotent'] === true,
    form: requestBody?.content?.['multipart/form-data'] !== undefined,
    file: type !== undefined && type !== 'application/json',
    // Public reads depend on the reader. All other public operations have their credentials in the body.
    open: operation['x-access'] === 'public' && operation.method !== 'get',
    renews: operation['x-access'] !== 'public' && outputType(success, schemas) === 'Tokens',
    ends: ENDS_LOGIN.includes(operationId),
  }).flatMap(([name, holds]) => (holds ? [name] : []))
}

/** After these, the tokens of the caller are invalid. The document does not say so in a form that a program can read. */
const ENDS_LOGIN = ['logOut', 'logOutEverywhere', 'deleteAccount']

function typeLine(operation: Found, schemas: Schemas): string {
  const { operationId, summary, method, path, success } = operation
  const input = inputType(operation) || 'Nothing'
  const doc = `/** ${summary}. \`${method.toUpperCase()} ${path}\` */`
  return `${doc}\n${operationId}: { input: ${input}; output: ${outputType(success, schemas)} }`
}

function inputType({ operationId, method, parameters = [], requestBody }: Found): string {
  const sent = parameters.filter((parameter) => parameter.in === 'path' || parameter.in === 'query')
  const [body] = Object.values(requestBody?.content ?? {})
  const hasQuery = sent.some((parameter) => parameter.in === 'query')
  // The client sends what is not in the path as query of a GET or DELETE, and as body of all others.
  const isQuery = method === 'get' || method === 'delete'
  if (isQuery ? body : hasQuery) throw new Error(`The client cannot send both query and body: ${operationId}`)
  if (sent.some(({ schema, explode }) => schema?.type === 'array' && explode !== false))
    throw new Error(`The client sends lists in queries with commas (explode: false): ${operationId}`)
  const fields = sent.map(({ name, required, schema }) => `${name}${required ? '' : '?'}: ${typeOf(schema ?? {})}`)
  const own = fields.length > 0 ? [`{ ${fields.join('; ')} }`] : []
  return [...own, ...(body?.schema ? [typeOf(body.schema)] : [])].join(' & ')
}

function outputType({ content = {} }: Content, schemas: Schemas): string {
  const [first] = Object.entries(content)
  if (!first) return 'undefined'
  const [type, { schema = {} }] = first
  if (type !== 'application/json') return 'Blob'
  const { $ref } = schema
  return $ref ? referenceType($ref.split('/').at(-1) ?? $ref, schemas) : typeOf(schema)
}

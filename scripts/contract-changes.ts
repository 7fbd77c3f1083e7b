import { type Schema, type Schemas, schemaChanges } from './schema-changes.ts'

type Ref = { $ref?: string }
type Parameter = { in: string; name: string; required?: boolean; style?: string; explode?: boolean; schema: Schema }
type Header = { required?: boolean; schema: Schema }
type Content = Record<string, { schema: Schema }>
type Response = { headers?: Record<string, Ref & Header>; content?: Content }
export type Operation = {
  operationId: string
  tags?: string[]
  deprecated?: boolean
  security?: object[]
  parameters?: (Ref & Parameter)[]
  requestBody?: { required?: boolean; content: Content }
  responses: Record<string, Ref & Response>
  [extension: `x-${string}`]: unknown
}
/** The part of an OpenAPI or AsyncAPI document that is compared. */
type Channel = { address: string; messages: Record<string, object>; bindings?: { ws?: { query?: Schema } } }
export type Contract = {
  channels?: Record<string, Channel>
  paths?: Record<string, Record<string, Operation>>
  components: Record<string, object> & { schemas: Schemas; messages?: Record<string, { payload: Schema }> }
}

type Both<T> = { released: T; current: T }

/** The changes that break clients of the released contract, one sentence each. `now` is epoch ms. */
export function breakingChanges(contracts: Both<Contract>, now: number): string[] {
  const { released, current } = contracts
  const operations = Object.entries(released.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const other = current.paths?.[path]?.[method]
      const where = `${method.toUpperCase()} ${path}`
      if (other)
        return operationChanges({ released: operation, current: other }, contracts).map(
          (change) => `${where}: ${change}`,
        )
      return isOver(operation, now) ? [] : [`${where}: was removed`]
    }),
  )
  const messages = Object.entries(released.components.messages ?? {}).flatMap(([name, { payload }]) => {
    const other = current.components.messages?.[name]
    return other
      ? changes(contracts, 'server', { released: payload, current: other.payload }, name)
      : [`${name}: was removed`]
  })
  return [...operations, ...messages, ...channelChanges(contracts)]
}

function channelChanges(contracts: Both<Contract>): string[] {
  return Object.entries(contracts.released.channels ?? {}).flatMap(([name, released]) => {
    const current = contracts.current.channels?.[name]
    if (!current) return [`${name}: was removed`]
    const removed = Object.keys(released.messages).filter((message) => !current.messages[message])
    const query = { released: released.bindings?.ws?.query ?? {}, current: current.bindings?.ws?.query ?? {} }
    return [
      ...(released.address === current.address ? [] : [`${name}: the address has changed`]),
      ...removed.map((message) => `${name}: no longer has the message ${message}`),
      ...changes(contracts, 'client', query, `${name}?`),
    ]
  })
}

const isOver = (operation: Operation, now: number) =>
  operation.deprecated === true && Date.parse(String(operation['x-sunset'])) <= now

function changes(contracts: Both<Contract>, sentBy: 'client' | 'server', pair: Both<Schema>, path: string): string[] {
  const named = { released: contracts.released.components.schemas, current: contracts.current.components.schemas }
  return schemaChanges({ ...pair, sentBy, named }, path)
}

function operationChanges({ released, current }: Both<Operation>, contracts: Both<Contract>): string[] {
  const names = ['operationId', 'tags', 'x-scope'] as const
  const renamed = names.filter((name) => JSON.stringify(released[name]) !== JSON.stringify(current[name]))
  return [
    ...renamed.map((name) => `${name} has changed`),
    ...(isPublic(released) && !isPublic(current) ? ['now needs a token'] : []),
    ...(rank(current) > rank(released) ? ['now needs a higher role'] : []),
    ...schemesOf(released)
      .filter((scheme) => !isPublic(current) && !schemesOf(current).includes(scheme))
      .map((scheme) => `no longer accepts ${scheme}`),
    ...(String(current['x-sunset'] ?? '9') < String(released['x-sunset'] ?? '') ? ['ends earlier than announced'] : []),
    ...(current['x-fresh'] && !released['x-fresh'] ? ['now needs a fresh login'] : []),
    ...(released['x-idempotent'] && !current['x-idempotent'] ? ['no longer accepts an idempotency key'] : []),
    ...parameterChanges({ released, current }, contracts),
    ...bodyChanges({ released, current }, contracts),
    ...responseChanges({ released, current }, contracts),
  ]
}

const rank = (operation: Operation) => ['public', 'user', 'moderator', 'admin'].indexOf(String(operation['x-access']))
const schemesOf = ({ security = [] }: Operation) => security.flatMap((one) => Object.keys(one))

const isPublic = ({ security = [] }: Operation) =>
  security.length === 0 || security.some((one) => Object.keys(one).length === 0)

/** The part itself, or the one to which it refers. */
function found<T extends object>(part: T & Ref, { components }: Contract): T {
  if (!part.$ref) return part
  const [kind = '', name = ''] = part.$ref.split('/').slice(2)
  return Reflect.get(components[kind] ?? {}, name)
}

function parameterChanges({ released, current }: Both<Operation>, contracts: Both<Contract>): string[] {
  const all = (operation: Operation, contract: Contract) =>
    new Map(
      (operation.parameters ?? [])
        .map((part) => found<Parameter>(part, contract))
        .map((one) => [`${one.in} ${one.name}`, one]),
    )
  const [before, after] = [all(released, contracts.released), all(current, contracts.current)]
  const added = [...after].filter(([name, { required }]) => required && !before.get(name)?.required)
  return [
    ...added.map(([name]) => `the parameter ${name} is now required`),
    ...[...before].flatMap(([name, parameter]) => {
      const other = after.get(name)
      if (!other) return [`the parameter ${name} was removed`]
      const { schema } = parameter
      return [
        ...(styleOf(parameter) === styleOf(other) ? [] : [`the parameter ${name}: style or explode has changed`]),
        ...changes(contracts, 'client', { released: schema, current: other.schema }, `the parameter ${name}`),
      ]
    }),
  ]
}

/** How lists are written into a parameter, with the defaults of OpenAPI 3.1. */
function styleOf({
  in: place,
  style = place === 'query' || place === 'cookie' ? 'form' : 'simple',
  explode,
}: Parameter) {
  return `${style} ${explode ?? style === 'form'}`
}

function bodyChanges({ released, current }: Both<Operation>, contracts: Both<Contract>): string[] {
  const [before = {}, after = {}] = [released.requestBody?.content, current.requestBody?.content]
  if (!released.requestBody?.required && current.requestBody?.required) return ['now needs a body']
  return contentChanges({ released: before, current: after }, 'client', contracts, 'body')
}

function contentChanges(
  { released, current }: Both<Content>,
  sentBy: 'client' | 'server',
  contracts: Both<Contract>,
  path: string,
): string[] {
  return Object.entries(released).flatMap(([type, { schema }]) => {
    const other = current[type]
    return other
      ? changes(contracts, sentBy, { released: schema, current: other.schema }, path)
      : [`${path}: ${type} was removed`]
  })
}

/** Redirects count too: a client that follows none gets no answer. 304 answers only clients that ask for it. */
const isSuccess = (status: string) => status < '400' && status !== '304'

/** Clients handle statuses of failures that they do not know by their first digit. */
function responseChanges({ released, current }: Both<Operation>, contracts: Both<Contract>): string[] {
  const added = Object.keys(current.responses).filter((status) => isSuccess(status) && !released.responses[status])
  const kept = Object.entries(released.responses).filter(([status]) => isSuccess(status) || current.responses[status])
  return [
    ...added.map((status) => `the status ${status} is new`),
    ...kept.flatMap(([status, described]) => {
      const other = current.responses[status]
      if (!other) return [`the status ${status} was removed`]
      const pair = {
        released: found<Response>(described, contracts.released),
        current: found<Response>(other, contracts.current),
      }
      const content = { released: pair.released.content ?? {}, current: pair.current.content ?? {} }
      return [...headerChanges(pair, contracts, status), ...contentChanges(content, 'server', contracts, status)]
    }),
  ]
}

function headerChanges({ released, current }: Both<Response>, contracts: Both<Contract>, status: string): string[] {
  return Object.entries(released.headers ?? {}).flatMap(([name, header]) => {
    const other = current.headers?.[name]
    if (!other) return [`${status}: the header ${name} was removed`]
    const [before, after] = [found<Header>(header, contracts.released), found<Header>(other, contracts.current)]
    const pair = { released: before.schema, current: after.schema }
    return [
      ...(before.required && !after.required ? [`${status}: the header ${name} may now be absent`] : []),
      ...changes(contracts, 'server', pair, `${status}: the header ${name}`),
    ]
  })
}

import { env } from 'cloudflare:workers'
import type { Cost } from '../../src/platform/observability/cost.ts'
import { fetchWith, randomAddress } from './client.ts'
import { dataFlaws } from './graphql-contract.ts'

type GraphqlError = {
  message: string
  path?: (string | number)[]
  extensions: { code: string; errors?: { field: string }[]; retryAfter?: number }
}
export type GraphqlAnswer = {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read fields of any query
  data: any
  errors: GraphqlError[]
  extensions: { cost?: Cost; replayed?: string[] }
  /** The code of a problem that refused the request before the query was read. */
  code: string | null
}

type Options = { variables?: object; token?: string | null; headers?: Record<string, string>; bindings?: object }

const unlimited = { ...env, REQUESTS_PER_MINUTE: '1000000' }

/** Sends a document from a new client address. Throws if the data of the response are not as the schema says. */
export async function graphql(
  query: string,
  { variables, token, headers: given, bindings = {} }: Options = {},
): Promise<GraphqlAnswer> {
  const headers = new Headers({ 'content-type': 'application/json', 'cf-connecting-ip': randomAddress(), ...given })
  if (token) headers.set('authorization', `Bearer ${token}`)
  const body = JSON.stringify({ query, variables })
  const response = await fetchWith({ ...unlimited, ...bindings }, '/graphql', { method: 'POST', headers, body })
  const { data, errors = [], extensions = {}, code = null } = await response.json<Partial<GraphqlAnswer>>()
  const flaws = response.status === 200 ? dataFlaws(query, data) : []
  if (flaws.length > 0) throw new Error(['The data are not as the schema says:', ...flaws, query].join('\n'))
  return { status: response.status, headers: response.headers, data, errors, extensions, code }
}

/** The codes of the errors, by path. */
export const codes = ({ errors }: GraphqlAnswer): Record<string, string> =>
  Object.fromEntries(errors.map(({ path = [], extensions }) => [path.join('.'), extensions.code]))

const address = randomAddress()

/** Sends any body, always from one address. Returns the status, the code of the first error, and the trips of the request. */
export async function graphqlBody(body: string, token?: string) {
  const headers = new Headers({ 'content-type': 'application/json', 'cf-connecting-ip': address })
  if (token) headers.set('authorization', `Bearer ${token}`)
  const response = await fetchWith(unlimited, '/graphql', { method: 'POST', headers, body })
  const { code, errors } = await response.json<{ code?: string; errors?: GraphqlError[] }>()
  const { trips }: Cost = JSON.parse(response.headers.get('x-cost')!)
  return { status: response.status, code: code ?? errors?.[0]?.extensions.code, trips }
}

import { ApiError, errorOf, parseJson } from './errors.ts'
import type { Fetch } from './options.ts'

/** An entry of the table in operations.ts. */
export type Operation = { method: string; path: string; traits: string[] }

export function parseOperation(line: string): Operation {
  const [method = '', path = '', ...traits] = line.split(' ')
  return { method, path, traits }
}

type Body = string | FormData | undefined
export type ApiRequest = { method: string; path: string; body: Body; isFile: boolean }

/** Puts the fields of an input where they belong: into the path, the query or the body. */
export function requestOf({ method, path, traits }: Operation, input: object): ApiRequest {
  const fields = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  const target = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(fields.get(name) ?? '')
    // A URL parser resolves dots and drops empty segments, so the request would reach another operation.
    if (['', '.', '..'].includes(value)) throw new TypeError(`${name} must not be “${value}”`)
    fields.delete(name)
    return encodeURIComponent(value)
  })
  const request = { method, path: target, body: undefined, isFile: traits.includes('file') }
  if (fields.size === 0) return request
  if (traits.includes('form')) return { ...request, body: formOf(fields) }
  if (method === 'GET' || method === 'DELETE') return { ...request, path: `${target}?${queryOf(fields)}` }
  return { ...request, body: JSON.stringify(Object.fromEntries(fields)) }
}

type Fields = Map<string, unknown>

/** A list becomes one parameter with commas. */
const queryOf = (fields: Fields) => new URLSearchParams([...fields].map(([name, value]) => [name, String(value)]))

function formOf(fields: Fields): FormData {
  const form = new FormData()
  for (const [name, value] of fields) form.set(name, value instanceof Blob ? value : String(value))
  return form
}

/** Sends one request. Returns the body of a success: a file, the text of a table, parsed JSON or undefined. Throws `ApiError` otherwise. */
export async function exchange(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  isFile: boolean,
): Promise<{ response: Response; body: unknown }> {
  let response: Response
  let content: Blob | string
  try {
    response = await fetch(url, init)
    content = await (isFile && response.ok ? response.blob() : response.text())
  } catch (cause) {
    init.signal?.throwIfAborted()
    const title = 'The server cannot be reached'
    throw new ApiError({ status: 0, code: 'network_error', title, cause })
  }
  const isTable = response.ok && response.headers.get('content-type')?.startsWith('text/csv')
  if (typeof content !== 'string' || isTable) return { response, body: content }
  const body = response.ok ? parseJson(response.headers, content) : undefined
  if (!response.ok || (body === undefined && content !== '')) throw errorOf(response, content)
  return { response, body }
}

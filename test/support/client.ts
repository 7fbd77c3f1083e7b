import { createExecutionContext } from 'cloudflare:test'
import { exports } from 'cloudflare:workers'
import worker from '../../src/worker.ts'

export const BASE_URL = 'http://127.0.0.1:8787'

type RequestOptions = RequestInit & { json?: unknown }
export type Client = { fetch: (path: string, options?: RequestOptions) => Promise<Response> }

/** A client with its own IP address and its own limits per address. It sends back the bookmarks of its last write. */
export function client(accessToken: () => string | null): Client {
  const address = randomAddress()
  let bookmarks: string | null = null
  return {
    fetch: async (path, { json, ...init } = {}) => {
      const token = accessToken()
      const headers = new Headers(init.headers)
      headers.set('cf-connecting-ip', address)
      if (bookmarks !== null) headers.set('x-bookmarks', bookmarks)
      if (token !== null && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`)
      if (json !== undefined) headers.set('content-type', 'application/json')
      const body = json === undefined ? init.body : JSON.stringify(json)
      const response = await described(
        path,
        init,
        await exports.default.fetch(BASE_URL + path, { ...init, headers, body }),
      )
      bookmarks = response.headers.get('x-bookmarks') ?? bookmarks
      return response
    },
  }
}

export const anonymousClient = (): Client => client(() => null)

export const postJson = (path: string, json: unknown, by = anonymousClient()): Promise<Response> =>
  by.fetch(path, { method: 'POST', json })

/** Sends a request to the Worker with `bindings` instead of those of the test environment. */
export async function fetchWith(bindings: object, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await worker.fetch(new Request(BASE_URL + path, init), bindings as Env, createExecutionContext())
  return described(path, init, response)
}

/** Returns the response. Throws if its status, headers or body are not as the OpenAPI document describes them. */
async function described(path: string, { method = 'GET' }: RequestInit, response: Response): Promise<Response> {
  const { flawsOf, operationOf } = await import('./contract.ts')
  const operation = operationOf(method, new URL(BASE_URL + path).pathname)
  if (!operation) return response
  const isJson = method !== 'HEAD' && /json/.test(response.headers.get('content-type') ?? '')
  const text = isJson ? await response.text() : null
  const flaws = flawsOf(operation, response, text)
  if (flaws.length > 0) {
    const what = `${operation.id} returned ${response.status}, but not as the OpenAPI document says:`
    throw new Error([what, ...flaws, (text ?? '').slice(0, 2_000)].join('\n'))
  }
  return isJson ? Object.defineProperty(new Response(text, response), 'url', { value: response.url }) : response
}

export const randomAddress = (): string => [...crypto.getRandomValues(new Uint8Array(4))].join('.')

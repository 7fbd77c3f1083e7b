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
      const response = await exports.default.fetch(BASE_URL + path, { ...init, headers, body })
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
  return worker.fetch(new Request(BASE_URL + path, init), bindings as Env, createExecutionContext())
}

export const randomAddress = (): string => [...crypto.getRandomValues(new Uint8Array(4))].join('.')

import { bodyOf, exchange, Problem, Unreachable } from './http.ts'
import { bearer, refresh, session } from './session.ts'

type Options = {
  json?: unknown
  form?: FormData
  idempotencyKey?: string
  onProgress?: (share: number) => void
}

/** Calls an operation of the API. A token that has expired is refreshed, once. Throws `Problem` or `Unreachable`. */
export async function call<T = void>(method: string, path: string, options: Options = {}): Promise<T> {
  const answer = await send(method, path, options)
  // Credentials that do not match are a 401 too, but one that asks for no other token.
  const isExpired = answer.status === 401 && answer.header('www-authenticate') !== null
  if (!isExpired || !session.value) return bodyOf<T>(answer)
  await refresh()
  return bodyOf<T>(await send(method, path, options))
}

export const get = <T>(path: string) => call<T>('GET', path)

/** `call`, again after a failure that left the effect in doubt. Only for what is safe to repeat. */
export async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (const delay of [500, 2_000]) {
    try {
      return await work()
    } catch (error) {
      if (!inDoubt(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, delay))
    }
  }
  return work()
}

const inDoubt = (error: unknown) => error instanceof Unreachable || (error instanceof Problem && error.status >= 500)

async function send(method: string, path: string, { json, form, idempotencyKey, onProgress }: Options) {
  const headers: Record<string, string> = bearer()
  if (json !== undefined) headers['content-type'] = 'application/json'
  if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
  if (bookmarks.size > 0) headers['x-bookmarks'] = [...bookmarks].map((pair) => pair.join('=')).join(';')
  const body = form ?? (json === undefined ? null : JSON.stringify(json))
  const answer = await exchange({ method, path, headers, body, onProgress })
  remember(answer.header('x-bookmarks') ?? '')
  return answer
}

// What the databases had reached when they last took a write of ours: sent along, so that we always read our own writes.
// Answers overtake each other, and bookmarks sort by age, so the newest of each database stays.
const bookmarks = new Map<string, string>()

function remember(header: string): void {
  for (const pair of header.split(';')) {
    const [database = '', bookmark = ''] = pair.split('=')
    if (bookmark > (bookmarks.get(database) ?? '')) bookmarks.set(database, bookmark)
  }
}

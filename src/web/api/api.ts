import { askForPassword } from './fresh-login.ts'
import { ApiError, type ApiResponse, NetworkError, parseBody, send } from './http.ts'
import { authHeader, refreshSession, session } from './session.ts'

type Options = {
  json?: unknown
  form?: FormData
  idempotencyKey?: string
  onProgress?: (fraction: number) => void
  isFile?: boolean
  /** Set by those who have just refreshed the token and hold the lock that a refresh needs. */
  hasFreshToken?: boolean
}

/**
 * Calls an API operation. Refreshes an expired access token, and asks for the password if the operation requires a
 * fresh login; then it tries again. Throws `ApiError`, `NetworkError` or `Cancelled`.
 */
export async function call<T = void>(method: string, path: string, options: Options = {}): Promise<T> {
  return parseBody<T>(await sendFresh(method, path, options))
}

/** Downloads a file, with the token that a link could not send. Asks for the password like `call`. */
export async function download(path: string): Promise<Blob> {
  const response = await sendFresh('GET', path, { isFile: true })
  return response.file ?? parseBody<Blob>(response)
}

async function sendFresh(method: string, path: string, options: Options): Promise<ApiResponse> {
  const response = await sendWithToken(method, path, options)
  if (!(response.status === 403 && response.text.includes('"fresh_login_required"'))) return response
  await askForPassword()
  return sendWithToken(method, path, options)
}

async function sendWithToken(method: string, path: string, options: Options): Promise<ApiResponse> {
  const response = await sendCall(method, path, options)
  // A 401 for wrong credentials is final: a new token would not help, and a second attempt would count as another one.
  const isExpired = response.status === 401 && /invalid_token/.test(response.header('www-authenticate') ?? '')
  if (!isExpired || !session.value || options.hasFreshToken) return response
  await refreshSession()
  return sendCall(method, path, options)
}

export const get = <T>(path: string) => call<T>('GET', path)

/** Retries after failures that leave open whether the work had an effect, so the work must be idempotent. */
export async function withRetry<T>(work: () => Promise<T>): Promise<T> {
  for (const delay of [500, 2_000]) {
    try {
      return await work()
    } catch (error) {
      if (!mayHaveSucceeded(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, delay))
    }
  }
  return work()
}

const mayHaveSucceeded = (error: unknown) =>
  error instanceof NetworkError || (error instanceof ApiError && error.status >= 500)

async function sendCall(method: string, path: string, options: Options) {
  const { json, form, idempotencyKey, onProgress, isFile } = options
  const headers = authHeader()
  if (json !== undefined) headers['content-type'] = 'application/json'
  if (idempotencyKey) headers['idempotency-key'] = idempotencyKey
  if (bookmarks.size > 0) headers['x-bookmarks'] = [...bookmarks].map((pair) => pair.join('=')).join(';')
  const body = form ?? (json === undefined ? null : JSON.stringify(json))
  const response = await send({ method, path, headers, body, onProgress, isFile })
  rememberBookmarks(response.header('x-bookmarks') ?? '')
  return response
}

// The latest bookmark of each database. Sent with every request, so that reads include our own writes.
// Responses may arrive out of order. Bookmarks sort by age, so the greatest one is kept.
const bookmarks = new Map<string, string>()

function rememberBookmarks(header: string): void {
  for (const pair of header.split(';')) {
    const [database = '', bookmark = ''] = pair.split('=')
    if (bookmark > (bookmarks.get(database) ?? '')) bookmarks.set(database, bookmark)
  }
}

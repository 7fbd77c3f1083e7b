import type { Problem } from '../../client/wire.ts'

export type FieldError = NonNullable<Problem['errors']>[number]

/** An error response of the API: problem details (RFC 9457). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail?: string,
    readonly errors: FieldError[] = [],
    /** Seconds to wait before the next attempt. */
    readonly retryAfter = 0,
    readonly code?: Problem['code'],
  ) {
    super(detail ?? title)
  }
}

/** A field that this client rejects itself, or explains better than the API does. */
export class InvalidField extends ApiError {
  constructor(field: string, message: string) {
    super(422, 'Some fields are not valid', undefined, [{ field, message }])
  }
}

/** The user closed the dialog that an action depends on, so nothing happened and nothing is to be reported. */
export class Cancelled extends Error {}

/** No response arrived, so it is unknown whether the request had an effect. */
export class NetworkError extends Error {
  constructor() {
    super('Cannot reach the server. Check your connection and try again.')
  }
}

type ApiRequest = {
  method: string
  path: string
  headers: Record<string, string>
  body: string | FormData | null
  /** Called with the fraction of the body that has been sent. */
  onProgress?: (fraction: number) => void
  /** Whether a successful response is a file, which the browser keeps outside of its memory. */
  isFile?: boolean
}
export type ApiResponse = {
  status: number
  text: string
  file?: Blob
  header: (name: string) => string | null
}

/** Sends one request and returns its response, error responses included. Throws `NetworkError`. */
export function send(request: ApiRequest): Promise<ApiResponse> {
  return request.onProgress ? sendWithProgress(request, request.onProgress) : sendWithFetch(request)
}

async function sendWithFetch({ method, path, headers, body, isFile }: ApiRequest): Promise<ApiResponse> {
  try {
    const response = await fetch(`/v1${path}`, { method, headers, body })
    const content = isFile && response.ok ? { file: await response.blob(), text: '' } : { text: await response.text() }
    return { status: response.status, ...content, header: (name) => response.headers.get(name) }
  } catch {
    throw new NetworkError()
  }
}

// Uses XMLHttpRequest, because fetch does not report the progress of an upload.
function sendWithProgress(
  { method, path, headers, body }: ApiRequest,
  onProgress: (fraction: number) => void,
): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(method, `/v1${path}`)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0)
    request.onload = () =>
      resolve({
        status: request.status,
        text: request.responseText,
        header: (name) => request.getResponseHeader(name),
      })
    request.onerror = () => reject(new NetworkError())
    request.send(body)
  })
}

/** Returns the parsed body of a successful response; throws the `ApiError` of any other. */
export function parseBody<T>({ status, text, header }: ApiResponse): T {
  const isJson = /json/.test(header('content-type') ?? '')
  const body = isJson && text !== '' ? JSON.parse(text) : undefined
  if (status >= 200 && status < 300) return body as T
  const { title = 'Something went wrong', detail, errors, code }: Partial<Problem> = body ?? {}
  const retryAfter = header('retry-after')
  const reason = retryAfter ? `Try again in ${seconds(retryAfter)}.` : detail
  throw new ApiError(status, title, reason, errors, Number(retryAfter ?? 0), code)
}

const seconds = (count: string) => (count === '1' ? '1 second' : `${count} seconds`)

export const isNotFound = (error: unknown) => error instanceof ApiError && error.status === 404
export const hasFieldError = (error: unknown, name: string) =>
  error instanceof ApiError && error.errors.some(({ field }) => field === name)
export const isUnauthorized = (error: unknown) => error instanceof ApiError && error.status === 401
export const isCode = (error: unknown, code: string) => error instanceof ApiError && error.code === code

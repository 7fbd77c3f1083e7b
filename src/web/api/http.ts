export type FieldError = { field: string; message: string }

/** An error that the server explained: problem+json (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string | undefined,
    readonly errors: FieldError[],
    /** Seconds to wait before the next try. */
    readonly retryAfter = 0,
  ) {
    super(detail ?? title)
  }
}

/** No answer came: the network or the server is away, and whether the request had an effect is not known. */
export class Unreachable extends Error {
  constructor() {
    super('The server cannot be reached. Check your connection and try again.')
  }
}

type Outgoing = {
  method: string
  path: string
  headers: Record<string, string>
  body: string | FormData | null
  /** Told the share of the body that has been sent, 0 to 1. */
  onProgress?: (share: number) => void
}
type Incoming = { status: number; text: string; header: (name: string) => string | null }

/** One exchange with the API: what came back, even when it is a problem. Throws `Unreachable`. */
export function exchange(request: Outgoing): Promise<Incoming> {
  return request.onProgress ? upload(request, request.onProgress) : ask(request)
}

async function ask({ method, path, headers, body }: Outgoing): Promise<Incoming> {
  try {
    const answer = await fetch(`/v1${path}`, { method, headers, body })
    return { status: answer.status, text: await answer.text(), header: (name) => answer.headers.get(name) }
  } catch {
    throw new Unreachable()
  }
}

// fetch tells nothing of an upload's progress.
function upload({ method, path, headers, body }: Outgoing, onProgress: (share: number) => void): Promise<Incoming> {
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
    request.onerror = () => reject(new Unreachable())
    request.send(body)
  })
}

/** The body of a good answer. Throws the `Problem` that any other one tells of. */
export function bodyOf<T>({ status, text, header }: Incoming): T {
  const isJson = /json/.test(header('content-type') ?? '')
  const body = isJson && text !== '' ? JSON.parse(text) : undefined
  if (status >= 200 && status < 300) return body as T
  const { title = 'Something went wrong', detail, errors = [] } = (body ?? {}) as Partial<Problem>
  const wait = header('retry-after')
  throw new Problem(status, title, wait ? `Try again in ${seconds(wait)}.` : detail, errors, Number(wait ?? 0))
}

export const isNotFound = (error: unknown) => error instanceof Problem && error.status === 404

const seconds = (count: string) => (count === '1' ? 'a second' : `${count} seconds`)

/** What this page finds wrong with a field before it asks the server. */
export class FieldProblem extends Problem {
  constructor(field: string, message: string) {
    super(422, 'Some fields are not valid', undefined, [{ field, message }])
  }
}

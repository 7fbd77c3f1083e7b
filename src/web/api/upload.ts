import type { CallOptions } from '../../client/client.ts'

/** `fetch` for one upload. Uses XMLHttpRequest, because fetch does not report the progress of an upload. */
export function fetchWithProgress(onProgress: (fraction: number) => void): NonNullable<CallOptions['fetch']> {
  return (url, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open(method, url)
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value)
      request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0)
      request.onload = () => resolve(responseOf(request))
      const interrupted = () => reject(new TypeError('The upload was interrupted'))
      request.onerror = interrupted
      request.onabort = interrupted
      request.ontimeout = interrupted
      const stop = () => request.abort()
      request.onloadend = () => signal?.removeEventListener('abort', stop)
      signal?.addEventListener('abort', stop)
      if (signal?.aborted) return interrupted()
      request.send(body instanceof FormData ? body : null)
    })
}

function responseOf(request: XMLHttpRequest): Response {
  const lines = request.getAllResponseHeaders().trim().split('\r\n')
  const headers = lines.map((line): [string, string] => [
    line.split(':', 1)[0] ?? '',
    line.replace(/^[^:]*:/, '').trim(),
  ])
  const hasNoBody = [204, 205, 304].includes(request.status)
  return new Response(hasNoBody ? null : request.responseText, { status: request.status, headers })
}

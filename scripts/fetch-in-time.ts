const DEADLINE_MS = 30_000

/** `fetch` with a deadline for the whole response, because a process that listens may never respond. */
export function fetchInTime(url: string | URL, init: RequestInit = {}, ms = DEADLINE_MS): Promise<Response> {
  const deadline = new AbortController()
  const late = new Error(`${new URL(url).origin} did not respond within ${ms / 1_000} s`)
  setTimeout(() => deadline.abort(late), ms).unref()
  // biome-ignore lint/style/noRestrictedGlobals: the one place that calls it
  return fetch(url, { ...init, signal: deadline.signal })
}

import type { Context } from 'hono'
import { withTimeout } from '../timeout.ts'
import type { AppEnv, Place } from './app-env.ts'
import type { Contract } from './operation.ts'

/** How long callers without credentials may still see what was edited, hidden or deleted. */
export const SHARED_SECONDS = 5
/** A slow cache must not delay what the databases can answer. */
const LOOKUP_MS = 250
const STORED_AT = 'stored-at'
/** With one of these, a request asks for an answer of its own. Bookmarks ask for the caller's latest writes. */
const PERSONAL_HEADERS = ['authorization', 'x-bookmarks', 'cookie']

export type Answer = { text: string; etag: string; link: string | null; mediaType: string }

/** A cache of this data centre with a name of its own, so that no key meets one of other code. */
const answers = () => caches.open('answers')

/** Where the answers for everybody are kept; null if the request has credentials, or the operation has none. `path` includes the mount. */
export function placeOf(c: Context<AppEnv>, path: string, { shared, params }: Contract): Place | null {
  const { config, viewer, now } = c.var.ctx
  if (shared === undefined || config.SHARED_CACHE === 'off' || viewer !== null) return null
  if (PERSONAL_HEADERS.some((name) => c.req.header(name) !== undefined)) return null
  const input = Object.entries(c.get('input') ?? {}).filter(([, value]) => value !== undefined)
  const isInPath = (name: string) => params !== undefined && name in params.shape
  const named = new Map(input)
  const whole = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(named.get(name))))
  const query = input.filter(([name]) => !isInPath(name)).map(([name, value]) => [name, JSON.stringify(value)])
  return { key: keyOf(c, whole, new URLSearchParams(query)), seconds: shared, at: now() }
}

function keyOf(c: Context<AppEnv>, path: string, query: URLSearchParams): string {
  query.sort()
  return `${new URL(c.req.url).origin}${path}?${query}`
}

/** The answer that was kept, with headers that say how old it is. Null if there is none, or the cache fails. */
export async function keptAnswer(
  c: Context<AppEnv>,
  { key, seconds }: Place,
): Promise<(Answer & { at: number }) | null> {
  try {
    const kept = await withTimeout(readKept(key), LOOKUP_MS)
    const age = c.var.ctx.now() - (kept?.at ?? 0)
    return kept && age >= 0 && age < seconds * 1_000 ? kept : null
  } catch (error) {
    c.var.ctx.log.warn('the shared cache cannot be read', { error })
    return null
  }
}

async function readKept(key: string): Promise<(Answer & { at: number }) | null> {
  const kept = await (await answers()).match(key)
  const [etag, mediaType] = ['etag', 'content-type'].map((name) => kept?.headers.get(name))
  if (!kept || !etag || !mediaType) return null
  return {
    text: await kept.text(),
    etag,
    mediaType,
    link: kept.headers.get('link'),
    at: Number(kept.headers.get(STORED_AT)),
  }
}

/** Keeps an answer after it was sent. It has none of the headers of its request. */
export function keepAnswer(c: Context<AppEnv>, { key, seconds, at }: Place, answer: Answer): void {
  const headers = new Headers({
    'cache-control': `public, s-maxage=${seconds}`,
    'content-type': answer.mediaType,
    etag: answer.etag,
    [STORED_AT]: String(at),
  })
  if (answer.link) headers.set('link', answer.link)
  c.var.ctx.defer(async () => (await answers()).put(key, new Response(answer.text, { headers })))
}

/** The headers of an answer that caches may give to everybody who sends no credentials (RFC 9111). */
export function announceShared(c: Context<AppEnv>, seconds: number, at: number): void {
  c.header('cache-control', `public, max-age=${seconds}, s-maxage=${seconds}`)
  c.header('age', String(Math.ceil((c.var.ctx.now() - at) / 1_000)))
  c.header('vary', PERSONAL_HEADERS.join(', '))
}

/** After a write: forgets what this data centre keeps of the record in its path, and of the caller's account. */
export function forgetAnswers(c: Context<AppEnv>): void {
  const { config, viewer, defer } = c.var.ctx
  if (config.SHARED_CACHE === 'off' || c.req.method === 'GET') return
  const [, record] = /^(\/\w+\/\w+\/\d+)(\/|$)/.exec(c.req.path) ?? []
  const own = viewer && c.req.path.endsWith('/accounts/me') ? c.req.path.replace(/me$/, viewer.id) : undefined
  for (const path of [record, own]) {
    if (path) defer(async () => (await answers()).delete(keyOf(c, path, new URLSearchParams())))
  }
}

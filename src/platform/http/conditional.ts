import type { Context } from 'hono'
import { sha256 } from '../security/crypto.ts'
import type { AppEnv } from './app-env.ts'
import { type Answer, announceShared, keepAnswer } from './shared-answers.ts'

const TAG_BYTES = 16

type Representation = {
  /** Parts of the text that differ between answers with the same meaning, such as cursors. The tag ignores them. */
  varying: readonly string[]
  /** The `Link` header of a page. */
  link: string | null
  /** Of an answer that does not depend on the viewer. */
  cacheControl?: string
  mediaType?: string
  /** Set if the answer can also be CSV. */
  csv?: object
}

/** Answers a GET with a text and a weak entity tag, and keeps the text if the request has a place in the shared cache. */
export async function conditionalJson(
  c: Context<AppEnv>,
  text: string,
  { varying, link, cacheControl, csv, mediaType = 'application/json' }: Representation,
): Promise<Response> {
  const digest = await sha256(varying.reduce(without, text))
  const etag = `W/"${digest.subarray(0, TAG_BYTES).toBase64({ alphabet: 'base64url', omitPadding: true })}"`
  const answer = { text, etag, link, mediaType }
  const { place } = c.var
  if (place) {
    keepAnswer(c, place, answer)
    announceShared(c, place.seconds, place.at)
    return conditional(c, answer)
  }
  if (cacheControl) c.header('cache-control', cacheControl)
  else c.header('vary', csv ? 'authorization, accept' : 'authorization')
  // With a token, the default `no-store` keeps private answers off the disk of a shared device.
  if (!cacheControl && c.var.ctx.viewer === null) c.header('cache-control', 'no-cache')
  return conditional(c, answer)
}

/** The answer, or 304 if the client names its tag (RFC 9110, section 13.1.2). */
export function conditional(c: Context<AppEnv>, { text, etag, link, mediaType }: Answer): Response {
  c.header('etag', etag)
  if (matchesEtag(c.req.header('if-none-match'), etag)) return c.body(null, 304)
  if (link) c.header('link', link)
  return c.newResponse(text, 200, { 'content-type': mediaType })
}

/** Searches from the end, where pages have their cursors. */
function without(text: string, part: string): string {
  const at = text.lastIndexOf(part)
  return at === -1 ? text : text.slice(0, at) + text.slice(at + part.length)
}

/** Whether `If-None-Match` lists the tag. Weak and strong tags match (RFC 9110, section 13.1.2). */
export function matchesEtag(header: string | null | undefined, etag: string): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '')
  return header?.split(',').some((tag) => tag.trim() === '*' || opaque(tag) === opaque(etag)) ?? false
}

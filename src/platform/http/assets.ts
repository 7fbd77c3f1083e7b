import type { Context } from 'hono'
import type { Env } from '../config.ts'

/** Where only the API answers. */
const API = /^\/(v1|auth|\.well-known)(\/|$)/

/**
 * What the pages answer to a path that no route has: a file of theirs or, to a browser that goes there, the page itself,
 * which has its own word for what is absent. Null where they have nothing. Whatever the method, it is as to a GET.
 */
export async function assetResponse(c: Context): Promise<Response | null> {
  if (API.test(c.req.path)) return null
  const { method, headers, url } = c.req.raw
  const init = { method: method === 'GET' ? 'GET' : 'HEAD', headers, redirect: 'manual' } as const
  const ask = async (at: string) => {
    const answer = await (c.env as Env).ASSETS.fetch(at, init)
    return new Response(answer.body, answer)
  }
  const file = await ask(url)
  if (file.status !== 404) return file
  if (!headers.get('accept')?.includes('text/html')) return null
  const page = await ask(new URL('/', url).href)
  page.headers.set('vary', 'accept')
  return page
}

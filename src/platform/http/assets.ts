import type { Context } from 'hono'
import type { AppEnv } from './app-env.ts'

/** A static file, or the web client if a browser opens an unknown path. Null for other requests, and for all paths below `apiPaths`. */
export async function assetResponse(c: Context<AppEnv>, apiPaths: readonly string[]): Promise<Response | null> {
  if (isWithin(apiPaths, c.req.path)) return null
  const { method, headers, url } = c.req.raw
  const init: RequestInit = { method: method === 'GET' ? 'GET' : 'HEAD', headers, redirect: 'manual' }
  const fetchAsset = async (at: string) => {
    const response = await c.env.ASSETS.fetch(at, init)
    return new Response(response.body, response)
  }
  const file = await fetchAsset(url)
  if (file.status !== 404) return file
  if (!headers.get('accept')?.includes('text/html')) return null
  const page = await fetchAsset(new URL('/', url).href)
  page.headers.set('vary', 'accept')
  return page
}

/** Whether a path is one of `paths`, or below one of them. */
export function isWithin(paths: readonly string[], path: string): boolean {
  return paths.some((each) => path === each || path.startsWith(`${each}/`))
}

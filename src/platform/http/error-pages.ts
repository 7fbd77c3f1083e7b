import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { declaredFailures, type FailureKind, notFound } from '../failures.ts'
import { countByAddress } from './address-limit.ts'
import type { AppEnv } from './app-env.ts'

/** The path of the pages about failures. */
export const ERRORS = '/errors'

/** The `type` of a problem (RFC 9457): the page that describes it, on the server that answers. */
export const problemType = (url: string, code: string): string => new URL(`${ERRORS}/${code}`, url).href

/** `/errors` lists all failures, `/errors/{code}` describes one: as HTML for browsers, as JSON for other clients. */
export const errorRoutes = new Hono<AppEnv>()
  .get(ERRORS, async (c) => {
    await countByAddress(c)
    return answer(c, 'Errors', declaredFailures(), { errors: declaredFailures().map((kind) => described(c, kind)) })
  })
  .get(`${ERRORS}/:code`, async (c) => {
    await countByAddress(c)
    const kind = declaredFailures().find(({ code }) => code === c.req.param('code'))
    if (!kind) throw notFound()
    return answer(c, kind.code, [kind], described(c, kind))
  })

const described = (c: Context, kind: FailureKind) => ({ type: problemType(c.req.url, kind.code), ...kind })

function answer(
  c: Context<AppEnv>,
  title: string,
  kinds: readonly FailureKind[],
  json: object,
): Response | Promise<Response> {
  c.header('cache-control', 'public, max-age=3600')
  c.header('vary', 'accept')
  if (!c.req.header('accept')?.includes('text/html')) return c.json(json)
  c.header('content-security-policy', "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'")
  return c.html(page(title, kinds))
}

const page = (title: string, kinds: readonly FailureKind[]) => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title} · SocialConnect API</title>
    <link rel="stylesheet" href="/docs/docs.css">
  </head>
  <body>
    <header><a href="/">SocialConnect</a><a href="/docs">API documentation</a><a href="${ERRORS}">All errors</a></header>
    <main class="text">${kinds.map(section)}</main>
  </body>
</html>`

const section = ({ code, status, title, meaning, action }: FailureKind) => html`
      <h2 id="${code}"><a href="${ERRORS}/${code}"><code>${code}</code></a></h2>
      <p>${status}: ${title}.</p>
      <p>${text(meaning)}</p>
      <p><strong>What to do:</strong> ${text(action)}</p>`

/** Text between backticks becomes code. */
const text = (prose: string) => prose.split('`').map((part, i) => (i % 2 ? html`<code>${part}</code>` : part))

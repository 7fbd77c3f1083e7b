import type { Context } from 'hono'
import { html } from 'hono/html'
import { countByAddress } from '../../platform/http/address-limit.ts'
import type { AppEnv } from '../../platform/http/app-env.ts'
import { RequestRefused, readRequest } from '../../services/apps/requests.ts'

const MAX_QUERY = 4_096

/**
 * The authorization endpoint (RFC 6749, 3.1). A valid request continues on the page where the person decides, which
 * sends it with the person's token: this endpoint knows no login, and changes nothing.
 */
export async function authorize(c: Context<AppEnv>): Promise<Response> {
  const { ctx } = c.var
  await countByAddress(c)
  const query = new URL(c.req.url).search.slice(1)
  try {
    if (query.length > MAX_QUERY) throw new RequestRefused(`The request is longer than ${MAX_QUERY} characters`)
    await readRequest(ctx, query)
    return c.redirect(`${ctx.config.BASE_URL}/authorize?${query}`, 303)
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error
    return refusal(c, error)
  }
}

/** Anybody can register an app, so an error returns to it only by a click: otherwise our address would lead anywhere (RFC 9700, 4.11.2). */
function refusal(c: Context<AppEnv>, { message, location }: RequestRefused): Response | Promise<Response> {
  c.header('content-security-policy', "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'")
  const page = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>This app cannot be allowed · SocialConnect</title>
    <link rel="stylesheet" href="/docs/docs.css">
  </head>
  <body>
    <header><a href="/">SocialConnect</a></header>
    <main class="text">
      <h1>This app cannot be allowed</h1>
      <p>${message}.</p>
      <p>The app has a mistake, or somebody tries to deceive you. Nothing was allowed. Go back, or tell the developer of the app.</p>
      ${location && html`<p><a href="${location}" rel="noreferrer">Return to ${new URL(location).host}</a></p>`}
    </main>
  </body>
</html>`
  return c.html(page, 400)
}

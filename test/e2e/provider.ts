import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OidcProvider } from '../support/oidc-provider.ts'

/** The identity provider of a site, as an HTTP server. Its login page agrees at once, as `person`. */
export async function startProvider() {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = 'GET', headers, url = '/' } = request
    const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined
    const answer = await provider.respond(
      new Request(provider.issuer + url, { method, headers: headersOf(headers), body }),
    )
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = await OidcProvider.at(`http://${host}`)
  const variables = { OUTBOUND_LOCAL_HOSTS: host, OIDC_PROVIDERS: JSON.stringify([provider.entry]) }
  return { provider, variables, stop: () => server.close() }
}

const headersOf = (headers: NodeJS.Dict<string | string[]>) =>
  Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])

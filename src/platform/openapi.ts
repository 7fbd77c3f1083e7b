import type { OpenAPIHono } from '@hono/zod-openapi'
import type { AppEnv } from './route.ts'

/** Names the group that the document puts a service's operations in. */
export function tagRoutes({ openAPIRegistry }: OpenAPIHono<AppEnv>, name: string): void {
  for (const definition of openAPIRegistry.definitions) {
    if (definition.type === 'route') definition.route.tags = [name]
  }
}

let document: object | null = null

/** The OpenAPI 3.1 document of everything mounted on `app`; built on first use and kept. */
export function openApiDocument(app: OpenAPIHono<AppEnv>): object {
  if (document) return document
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'at+jwt',
    description: 'A ten-minute access token, from login or refresh',
  })
  document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'SocialConnect',
      version: '1',
      description:
        'A social network’s backend on Cloudflare’s edge. Ids are decimal strings; errors are RFC 9457 problems.',
    },
  })
  return document
}

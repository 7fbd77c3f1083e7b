import type { OpenAPIHono } from '@hono/zod-openapi'
import type { AppEnv } from './route.ts'

/** Names the group that the document puts a service's operations in. */
export function tagRoutes({ openAPIRegistry }: OpenAPIHono<AppEnv>, name: string): void {
  for (const definition of openAPIRegistry.definitions) {
    if (definition.type === 'route') definition.route.tags = [name]
  }
}

/** What the document says beside the contracts: of all operations, and of single ones by their ids. In markdown. */
type Prose = { conventions: string; descriptions: Record<string, string> }

let document: object | null = null

/** The OpenAPI 3.1 document of everything mounted on `app`; built on first use and kept. */
export function openApiDocument(app: OpenAPIHono<AppEnv>, { conventions, descriptions }: Prose): object {
  if (document) return document
  for (const { route } of app.openAPIRegistry.definitions.filter((definition) => definition.type === 'route')) {
    route.description ??= descriptions[route.operationId!]
  }
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'at+jwt',
    description: 'A ten-minute access token, from login or refresh',
  })
  document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'SocialConnect', version: '1', description: conventions },
    servers: [{ url: '/' }],
  })
  allowNulls(document)
  return document
}

type Nullable = { allOf?: [object, { type?: unknown }]; anyOf?: object[] }

/** A nullable schema with a name comes as `allOf` of it and of what may be null, which null itself does not satisfy. */
function allowNulls(part: object): void {
  const { allOf } = part as Nullable
  if (Array.isArray(allOf?.[1]?.type) && allOf[1].type.includes('null')) {
    const [named, { type: _, ...rest }] = allOf
    delete (part as Nullable).allOf
    Object.assign(part, { anyOf: [named, { type: 'null' }], ...rest })
  }
  for (const inner of Object.values(part)) if (typeof inner === 'object' && inner !== null) allowNulls(inner)
}

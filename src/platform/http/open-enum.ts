import { z } from '@hono/zod-openapi'

/** A named enum whose values may increase within a version. Clients must expect values that they do not know. */
export function openEnum<const T extends readonly string[]>(name: string, values: T, description: string) {
  return z.enum(values).openapi(name, {
    description: `${description}. Later releases may add values: treat an unknown one as absent`,
    'x-open': true,
  })
}

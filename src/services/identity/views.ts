import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'

/** Folded to lower case, so that no two handles differ by case alone. */
export const Handle = z
  .string()
  .min(3)
  .max(30)
  .regex(/^[A-Za-z0-9_]+$/, 'may contain a to z, 0 to 9 and _')
  .toLowerCase()
  .openapi({ example: 'ada' })

export const Tokens = z
  .object({
    accessToken: z.string(),
    refreshToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().openapi({ description: 'Seconds until the access token expires' }),
    account: z.object({ id: Id, handle: z.string() }),
  })
  .openapi('Tokens')
export type Tokens = z.infer<typeof Tokens>

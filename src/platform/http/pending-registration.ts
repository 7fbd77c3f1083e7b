import { z } from '@hono/zod-openapi'

/** What a client needs to register with an identity that a provider has proved. */
export const PendingRegistration = z
  .object({
    token: z.string().openapi({ description: 'For `registerWithProvider`. Works once, within 30 minutes' }),
    handle: z.string().nullable().openapi({ description: 'A handle that may suit the person, and may be taken' }),
    displayName: z.string().nullable(),
    email: z.string().nullable().openapi({ description: 'The address that the provider names' }),
    isEmailVerified: z.boolean().openapi({ description: 'Whether the provider has verified the address' }),
  })
  .openapi('PendingRegistration', {
    example: { token: 'k1.Wd6hVk0aTz8nCq2mYb4xSf7r', handle: 'ada', displayName: 'Ada', email: 'ada@example.org' },
  })
export type PendingRegistration = z.infer<typeof PendingRegistration>

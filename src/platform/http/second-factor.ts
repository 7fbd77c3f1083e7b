import { z } from '@hono/zod-openapi'

/** The options of `navigator.credentials.get`, as JSON (WebAuthn, level 3, section 5.1). */
export const PasskeyRequest = z
  .object({
    challenge: z.string().openapi({ description: 'Base64url' }),
    rpId: z.string(),
    timeout: z.int().openapi({ description: 'Milliseconds' }),
    userVerification: z.literal('required'),
    allowCredentials: z.array(z.object({ id: z.string(), type: z.literal('public-key') })),
  })
  .openapi('PasskeyRequest', {
    example: {
      challenge: 'cL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY',
      rpId: 'social.example',
      timeout: 300_000,
      allowCredentials: [],
    },
  })
export type PasskeyRequest = z.infer<typeof PasskeyRequest>

/** What a login with `second_factor_required` still needs. */
export const SecondFactor = z
  .object({
    challenge: z.string().openapi({ description: 'For `finishLogin`' }),
    methods: z.array(z.string()).openapi({
      description: 'What the account accepts: `code`, `recovery_code` or `passkey`. Later releases may add methods',
    }),
    passkey: PasskeyRequest.nullable().openapi({ description: 'For `navigator.credentials.get`, if it has a passkey' }),
  })
  .openapi('SecondFactor')

import { z } from '@hono/zod-openapi'

/** The only kind of credential that WebAuthn has. */
export const CredentialType = z.literal('public-key').openapi('CredentialType')

export const PasskeyDescriptor = z
  .object({ type: CredentialType, id: z.string() })
  .openapi('PasskeyDescriptor', { example: { id: 'Dv5rKc1xPz8tWm3q' } })

/** The options of `navigator.credentials.get`, as JSON (WebAuthn, level 3, section 5.1). */
export const PasskeyRequest = z
  .object({
    challenge: z.string().openapi({ description: 'Base64url' }),
    rpId: z.string(),
    timeout: z.int().openapi({ description: 'Milliseconds' }),
    userVerification: z.literal('required'),
    allowCredentials: z.array(PasskeyDescriptor),
  })
  .openapi('PasskeyRequest', {
    example: {
      challenge: 'cL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY',
      rpId: 'social.example',
      timeout: 300_000,
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
    passkey: PasskeyRequest,
  })
  .openapi('SecondFactor', {
    example: {
      challenge: '1b4e28ba.1970324836974593:.1893456000000.qL0c3nUe8vZ6yTjW',
      methods: ['code', 'recovery_code'],
    },
  })

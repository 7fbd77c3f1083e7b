import { z } from '@hono/zod-openapi'

const LoginProvider = z
  .object({ id: z.string(), name: z.string() })
  .openapi('LoginProvider', { example: { id: 'google', name: 'Google' } })
export const LoginProviders = z.object({ items: z.array(LoginProvider) }).openapi('LoginProviders')
export type LoginProviders = z.infer<typeof LoginProviders>

export const ProviderFlow = z
  .object({
    url: z.string().openapi({ description: 'Where the person proves who they are' }),
    flow: z.string().openapi({ description: 'Keep it in this client. It comes back with the `code` of the provider' }),
  })
  .openapi('ProviderFlow', {
    example: {
      url: 'https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=…',
      flow: 'k1.9sHfYb2nLe6uJg0aDv5rKc1xPz8tWm3q',
    },
  })
export type ProviderFlow = z.infer<typeof ProviderFlow>

const ProviderLink = z
  .object({
    id: z.string(),
    provider: z.string().openapi({ description: 'The name of the provider' }),
    linkedAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
  })
  .openapi('ProviderLink', { example: { id: 'b7f2c1d0', provider: 'Google' } })
export const ProviderLinks = z.object({ items: z.array(ProviderLink) }).openapi('ProviderLinks')
export type ProviderLinks = z.infer<typeof ProviderLinks>
